#include "host/train/pictures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "host/report/image_sheet.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kReconstructions = 32;
constexpr std::int64_t kSamples = 64;
constexpr std::int64_t kGrid = 20;

/// The standard normal's quantile, by bisection of erfc: exact to double precision and called a few times
/// only.
double normal_quantile(double probability) {
  double low = -8.0;
  double high = 8.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < probability ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

Dataset first_rows(const Dataset& data) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(kReconstructions, data.rows())));
  std::iota(rows.begin(), rows.end(), 0);
  return data.select(rows);
}

}  // namespace

Painter::Painter(Backend& backend, const ParameterLayout& layout, const RunConfig& config,
                 const Preparation& preparation, ParameterStore& store, const Dataset& data,
                 std::optional<ImageShape> shape)
    : backend_(backend),
      layout_(layout),
      config_(config),
      preparation_(preparation),
      store_(store),
      some_(first_rows(data)),
      shape_(shape) {
  if (!shape_) return;
  ValueRange range;
  for (const float value : some_.f32()) {
    range.low = std::min(range.low, value * preparation_.scale);
    range.high = std::max(range.high, value * preparation_.scale);
  }
  if (some_.type() == ElementType::u8) range.high = 255.0f * preparation_.scale;
  range_ = range;
}

void Painter::to_data_units(std::vector<float>& rows) const {
  if (preparation_.mean.empty()) return;
  const std::size_t columns = preparation_.mean.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t c = i % columns;
    rows[i] = rows[i] / preparation_.inverse_deviation[c] + preparation_.mean[c];
  }
}

Image Painter::reconstructions() {
  const Plan plan =
      build_reconstruct_plan(layout_, config_.model, preparation_, {some_.rows(), some_.type()});
  const auto resident = backend_.make_resident(some_);
  const auto program = backend_.compile(plan, store_, resident.get());
  program->run(1);
  const auto size = static_cast<std::size_t>(some_.rows() * some_.columns());
  std::vector<float> originals(size);
  std::vector<float> means(size);
  program->read(plan.find_buffer("rows.x"), originals);
  program->read(plan.find_buffer("rows.mean"), means);
  // A picture is shown in the data's units; the columns of a table are comparable only in prepared ones.
  if (shape_) {
    to_data_units(originals);
    to_data_units(means);
  }
  SheetOptions options;
  options.range = range_;
  return pair_sheet(originals, means, some_.columns(), shape_, options);
}

Image Painter::samples() {
  const Plan plan = build_generate_plan(layout_, config_.model, kSamples, config_.train.seed);
  const auto program = backend_.compile(plan, store_, nullptr);
  program->run(1);
  std::vector<float> means(static_cast<std::size_t>(kSamples * config_.model.input_dim));
  program->read(plan.find_buffer("rows.mean"), means);
  if (shape_) to_data_units(means);
  SheetOptions options;
  options.range = range_;
  return image_sheet(means, config_.model.input_dim, shape_, options);
}

Image Painter::manifold() {
  if (config_.model.latent_dim != 2) throw std::logic_error("a latent manifold needs two latent dimensions");
  constexpr std::int64_t kRows = kGrid * kGrid;
  std::vector<float> z;
  z.reserve(static_cast<std::size_t>(2 * kRows));
  std::array<float, kGrid> quantile{};
  for (std::int64_t i = 0; i < kGrid; ++i) {
    quantile[static_cast<std::size_t>(i)] =
        static_cast<float>(normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(kGrid)));
  }
  for (std::int64_t row = 0; row < kGrid; ++row) {
    for (std::int64_t column = 0; column < kGrid; ++column) {
      z.push_back(quantile[static_cast<std::size_t>(column)]);
      z.push_back(quantile[static_cast<std::size_t>(kGrid - 1 - row)]);  // the second latent grows upwards
    }
  }
  const Plan plan = build_decode_plan(layout_, config_.model, kRows);
  const auto program = backend_.compile(plan, store_, nullptr);
  program->write(plan.find_buffer("rows.z"), z);
  program->run((kRows + plan.batch - 1) / plan.batch);
  std::vector<float> means(static_cast<std::size_t>(kRows * config_.model.input_dim));
  program->read(plan.find_buffer("rows.mean"), means);
  if (shape_) to_data_units(means);
  SheetOptions options;
  options.cells_across = kGrid;
  options.range = range_;
  return image_sheet(means, config_.model.input_dim, shape_, options);
}

}  // namespace vaecuda
