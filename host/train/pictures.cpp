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

Painter::Painter(const ModelOnDevice& model, std::uint64_t seed, const Dataset& data,
                 std::optional<ImageShape> shape, std::function<bool()> stop)
    : model_(model), seed_(seed), some_(first_rows(data)), shape_(shape), watch_{{}, std::move(stop), {}} {
  if (!shape_) return;
  ValueRange range;
  for_each_stored_value(some_, model.preparation.scale, [&range](std::int64_t, std::int64_t, float value) {
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
    return true;
  });
  range_ = range;
}

PassSize Painter::size_for(std::int64_t rows) const {
  constexpr std::int64_t kFew = 8;
  return {rows, model_.backend.has_small_blocks() ? kFew : kInferenceBatch};
}

std::optional<Image> Painter::reconstructions() {
  Pass pass(model_, {PassKind::reconstruct, size_for(some_.rows())}, some_);
  if (!pass.run_all(watch_)) return std::nullopt;
  std::vector<float> originals = pass.read(exchanged::kPrepared);
  std::vector<float> means = pass.read(exchanged::kMean);
  // A picture is shown in the data's units; the columns of a table are comparable only in prepared ones.
  if (shape_) {
    undo_standardization(originals, model_.preparation);
    undo_standardization(means, model_.preparation);
  }
  SheetOptions options;
  options.range = range_;
  return pair_sheet(originals, means, some_.columns(), shape_, options);
}

std::vector<float> Painter::conditions(std::int64_t rows, std::int64_t rows_per_class) const {
  const std::int64_t size = model_.model.condition_dim;
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

std::optional<Image> Painter::sheet_of(Pass& pass, std::int64_t cells_across) {
  if (!pass.run_all(watch_)) return std::nullopt;
  std::vector<float> means = pass.read(exchanged::kMean);
  if (shape_) undo_standardization(means, model_.preparation);
  SheetOptions options;
  options.range = range_;
  options.cells_across = cells_across;
  return image_sheet(means, model_.model.input_dim, shape_, options);
}

std::optional<Image> Painter::samples() {
  const std::int64_t classes = model_.model.condition_dim;
  const std::int64_t kinds = some_.label_vectors().empty() ? classes : some_.rows();
  const std::int64_t rows = classes > 0 ? kSamplesPerClass * std::min(kinds, kMostClasses) : kSamples;
  Pass pass(model_, {PassKind::generate, size_for(rows), seed_});
  if (classes == 0) return sheet_of(pass, SheetOptions{}.cells_across);
  pass.write(exchanged::kCondition, conditions(rows, kSamplesPerClass));
  return sheet_of(pass, kSamplesPerClass);
}

std::optional<Image> Painter::manifold() {
  if (model_.model.latent_dim != 2) throw std::logic_error("a latent manifold needs two latent dimensions");
  constexpr std::int64_t kRows = kGrid * kGrid;
  Pass pass(model_, {PassKind::decode, size_for(kRows)});
  pass.write(exchanged::kLatents, latent_grid(kGrid, 2, 0, 1));
  if (model_.model.condition_dim > 0) pass.write(exchanged::kCondition, conditions(kRows, kRows));
  return sheet_of(pass, kGrid);
}

}  // namespace vaecuda
