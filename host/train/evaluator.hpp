// The loss of a data set under given parameters.
#pragma once

#include <cstdint>
#include <optional>

#include "host/inference/pass.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// One pass over all rows: with one sampled z per row, or for the importance-weighted bound with as many as
/// in training. The noise depends on the seed and the row alone, so that two evaluations of the same
/// parameters agree in every bit. The KL term has the weight and the capacity that training ends with, so
/// that epochs can be compared, and no free bits.
class Evaluator {
 public:
  /// Posteriors (8·Z bytes a row) that are kept for the figures of each latent, on the device and the host.
  static constexpr std::int64_t kHeadBytes = std::int64_t{256} << 20;

  /// `config`: the objective and the seed of the run. `data` must outlive the evaluator.
  Evaluator(const ModelOnDevice& model, const RunConfig& config, const Dataset& data,
            std::int64_t head_bytes = kHeadBytes);
  [[nodiscard]] LossTerms evaluate();
  /// The same, watched; empty if it was ended.
  [[nodiscard]] std::optional<LossTerms> evaluate(const PassWatch& watch);

 private:
  RunConfig config_;
  std::int64_t rows_;
  Pass pass_;
};

}  // namespace vaecuda
