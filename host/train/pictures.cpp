#include "host/train/pictures.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "host/data/each_value.hpp"
#include "host/inference/units.hpp"
#include "host/plan/exchanged.hpp"
#include "host/report/image_sheet.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kReconstructions = 32;
constexpr std::int64_t kSamples = 64;
constexpr std::int64_t kSamplesPerClass = 8;
constexpr std::int64_t kMostClasses = 32;
constexpr std::int64_t kGrid = 20;

Dataset first_rows(const Dataset& data) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(kReconstructions, data.rows())));
  std::iota(rows.begin(), rows.end(), 0);
  return data.select(rows);
}

}  // namespace

Painter::Painter(Backend& backend, const ParameterLayout& layout, const RunConfig& config,
                 const Preparation& preparation, ParameterStore& store, const Dataset& data,
                 std::optional<ImageShape> shape, std::function<bool()> stop)
    : backend_(backend),
      layout_(layout),
      config_(config),
      preparation_(preparation),
      store_(store),
      some_(first_rows(data)),
      shape_(shape),
      stop_(std::move(stop)) {
  if (!shape_) return;
  ValueRange range;
  for_each_value(some_, preparation_.scale, [&range](std::int64_t, std::int64_t, float value) {
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
    return true;
  });
  range_ = range;
}

std::int64_t Painter::block() const {
  constexpr std::int64_t kFew = 8;
  return backend_.has_small_blocks() ? kFew : kInferenceBatch;
}

bool Painter::run(Program& program, const Plan& plan, std::int64_t rows) const {
  for (std::int64_t done = 0; done < rows; done += plan.batch) {
    if (stop_ && stop_()) return false;
    program.run(1);
    static_cast<void>(program.fault());  // waits until the work is done
  }
  return !(stop_ && stop_());
}

std::optional<Image> Painter::reconstructions() {
  DataShape data = shape_of(some_);
  data.block = block();
  const Plan plan = build_reconstruct_plan(layout_, config_.model, preparation_, data);
  const auto resident = backend_.make_resident(some_);
  const auto program = backend_.compile(plan, store_, resident.get());
  if (!run(*program, plan, some_.rows())) return std::nullopt;
  const auto size = static_cast<std::size_t>(some_.rows() * some_.columns());
  std::vector<float> originals(size);
  std::vector<float> means(size);
  program->read(plan.find_buffer(exchanged::kPrepared), originals);
  program->read(plan.find_buffer(exchanged::kMean), means);
  // A picture is shown in the data's units; the columns of a table are comparable only in prepared ones.
  if (shape_) {
    undo_standardization(originals, preparation_);
    undo_standardization(means, preparation_);
  }
  SheetOptions options;
  options.range = range_;
  return pair_sheet(originals, means, some_.columns(), shape_, options);
}

std::vector<float> Painter::conditions(std::int64_t rows, std::int64_t rows_per_class) const {
  const std::int64_t size = config_.model.condition_dim;
  std::vector<float> all(static_cast<std::size_t>(rows * size), 0.0f);
  const std::span<const float> vectors = some_.label_vectors();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (vectors.empty()) {
      all[static_cast<std::size_t>(row * size + row / rows_per_class % size)] = 1.0f;
      continue;
    }
    const std::int64_t source = row / rows_per_class % some_.rows();
    std::copy_n(vectors.begin() + source * size, size, all.begin() + row * size);
  }
  return all;
}

std::optional<Image> Painter::samples() {
  const bool conditional = config_.model.condition_dim > 0;
  const std::int64_t kinds = some_.label_vectors().empty() ? config_.model.condition_dim : some_.rows();
  const std::int64_t rows = conditional ? kSamplesPerClass * std::min(kinds, kMostClasses) : kSamples;
  const Plan plan = build_generate_plan(layout_, config_.model, rows, config_.train.seed, block());
  const auto program = backend_.compile(plan, store_, nullptr);
  if (conditional)
    program->write(plan.find_buffer(exchanged::kCondition), conditions(rows, kSamplesPerClass));
  if (!run(*program, plan, rows)) return std::nullopt;
  std::vector<float> means(static_cast<std::size_t>(rows * config_.model.input_dim));
  program->read(plan.find_buffer(exchanged::kMean), means);
  if (shape_) undo_standardization(means, preparation_);
  SheetOptions options;
  options.range = range_;
  if (conditional) options.cells_across = kSamplesPerClass;
  return image_sheet(means, config_.model.input_dim, shape_, options);
}

std::optional<Image> Painter::manifold() {
  if (config_.model.latent_dim != 2) throw std::logic_error("a latent manifold needs two latent dimensions");
  constexpr std::int64_t kRows = kGrid * kGrid;
  const std::vector<float> z = latent_grid(kGrid, 2, 0, 1);
  const Plan plan = build_decode_plan(layout_, config_.model, kRows, block());
  const auto program = backend_.compile(plan, store_, nullptr);
  program->write(plan.find_buffer(exchanged::kLatents), z);
  if (config_.model.condition_dim > 0)
    program->write(plan.find_buffer(exchanged::kCondition), conditions(kRows, kRows));
  if (!run(*program, plan, kRows)) return std::nullopt;
  std::vector<float> means(static_cast<std::size_t>(kRows * config_.model.input_dim));
  program->read(plan.find_buffer(exchanged::kMean), means);
  if (shape_) undo_standardization(means, preparation_);
  SheetOptions options;
  options.cells_across = kGrid;
  options.range = range_;
  return image_sheet(means, config_.model.input_dim, shape_, options);
}

}  // namespace vaecuda
