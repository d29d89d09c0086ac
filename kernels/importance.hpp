// Importance weights of several samples of a row, and rows that are scaled by them.
#pragma once

#include <cstdint>

#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

/// A column: element r at data[r · stride]. Null where it is not wanted.
struct OutColumn {
  float* data = nullptr;
  std::int64_t stride = 1;
};

struct ImportanceWeightsArgs {
  InMatrix nll;              ///< (B·K,1): −log p(x|z), nats
  InMatrix log_ratio;        ///< (B·K,1): log q(z|x) − log p(z)
  OutColumn loss;            ///< (B,1)
  OutColumn weights;         ///< (B·K,1)
  OutColumn reconstruction;  ///< (B,1)
  OutColumn kl;              ///< (B,1)
  std::int64_t batch = 0;
  std::int64_t samples = 1;       ///< K of each row
  std::int32_t* fault = nullptr;  ///< set to 1 by a row whose loss is not finite; null: nobody asks
};

/// With log w = −(nll + log_ratio): loss = −log (1/K Σ w); weights = w / Σ w; reconstruction and kl the means
/// of nll and log_ratio under the weights.
void launch(const ImportanceWeightsArgs& args, Stream stream);

struct WeighRowsArgs {
  InMatrix weights;  ///< (N,1)
  InMatrix in;       ///< (N,D)
  OutMatrix out;     ///< (N,D), may be `in` in place
  float scale = 1.0f;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// out = scale · weights ⊙ in, a weight for each row.
void launch(const WeighRowsArgs& args, Stream stream);

}  // namespace vaecuda::kernels
