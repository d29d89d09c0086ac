// The log-likelihood of a model, by importance sampling with its encoder.
#pragma once

#include <cstdint>
#include <vector>

#include "host/model/model_file.hpp"
#include "host/plan/backend.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

struct ImportanceNll {
  std::vector<double> nll;  ///< (N): −log (1/K Σ p(x|z) p(z) / q(z|x)) of each row, nats
  double mean = 0.0;
  double standard_error = 0.0;  ///< of the mean, over the rows; 0 for a single row
};

/// An upper bound on −log p(x) in expectation, tighter with every sample and exact in the limit (Burda et
/// al., arXiv 1509.00519, theorem 1). The noise of a row depends on the seed, the row's index and K alone; a
/// row's figure does not depend on the other rows. \throws ConfigError for a model whose latent has no
/// density or data of another width; OutOfMemoryError
[[nodiscard]] ImportanceNll importance_nll(Backend& backend, const ModelFile& model, const Dataset& data,
                                           std::int64_t samples, std::uint64_t seed);

}  // namespace vaecuda
