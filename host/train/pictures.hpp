// What a trained model looks like: reconstructions, samples, and the plane of a two-dimensional latent.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "host/inference/pass.hpp"
#include "host/report/image_sheet.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// Draws with the parameters that the store holds. Rows without a picture shape are drawn as line plots. A
/// picture that a stop request ended is empty.
class Painter {
 public:
  /// `seed`: of the samples. `data`: the rows to reconstruct; their values set the brightness of all
  /// pictures. `stop`: asked between blocks of a few rows; may be empty.
  Painter(const ModelOnDevice& model, std::uint64_t seed, const Dataset& data,
          std::optional<ImageShape> shape, std::function<bool()> stop = {});

  /// The first rows of the data, each above its reconstruction (the decoded posterior mean).
  [[nodiscard]] std::optional<Image> reconstructions();
  /// Means of p(x|z) for z drawn from the prior. Conditional: a line of eight for each of up to 32 classes
  /// (or labels of the first rows of the data).
  [[nodiscard]] std::optional<Image> samples();
  /// A two-dimensional latent: means of p(x|z) over a grid of the prior's quantiles (Kingma and Welling,
  /// figure 4), of the first class. \throws std::logic_error unless Z = 2
  [[nodiscard]] std::optional<Image> manifold();

 private:
  /// All `rows` in one pass, in blocks of few where that changes no bit, so that rows of any width leave time
  /// to stop.
  [[nodiscard]] PassSize size_for(std::int64_t rows) const;
  /// Means of p(x|z) over so many rows that a pass draws or decodes, as one picture; empty after a stop.
  [[nodiscard]] std::optional<Image> sheet_of(Pass& pass, std::int64_t cells_across);
  /// (rows, C): one-hot classes, or label vectors of the data's first rows, in order, `rows_per_class` of
  /// each.
  [[nodiscard]] std::vector<float> conditions(std::int64_t rows, std::int64_t rows_per_class) const;

  ModelOnDevice model_;
  std::uint64_t seed_;
  Dataset some_;  ///< the first rows of the data
  std::optional<ImageShape> shape_;
  PassWatch watch_;
  std::optional<ValueRange> range_;  ///< of pictures; line plots find their own
};

}  // namespace vaecuda
