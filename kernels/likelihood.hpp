// Reconstruction: negative log-likelihood per row with its gradient, and the mean of p(x|z).
#pragma once

#include <cstdint>

#include "kernels/math/likelihood.h"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

struct LikelihoodArgs {
  math::LikelihoodParameters likelihood;
  InMatrix output;  ///< (B·K,D) logits or means; σ from the head: (B·K,2D) = [means | raw log σ]
  const float* bias = nullptr;  ///< (D), or (2D): added to each row of `output`; null: it is in it already
  InMatrix x;                   ///< (B,D)
  const float* log_sigma = nullptr;  ///< learned σ: one parameter
  float* nll = nullptr;
  std::int64_t nll_stride = 1;  ///< nll (B·K,1), floats from one row to the next
  /// As `output`, may be `output` in place; both pointers null: no gradient is wanted.
  OutMatrix gradient;
  /// Learned σ: (B,1), of the row's nll by log σ; null: not wanted.
  float* sigma_gradient = nullptr;
  std::int64_t sigma_gradient_stride = 1;
  float gradient_scale = 1.0f;
  std::int64_t batch = 0;
  std::int64_t samples = 1;  ///< K of each row
  std::int64_t columns = 0;
  std::int32_t* fault = nullptr;  ///< set to 1 by a row whose NLL is not finite; null: nobody asks
};

/// nll = Σ over D of −log p(x|output), nats; gradient = gradient_scale · d nll / d output; sigma_gradient =
/// gradient_scale · d nll / d log σ.
void launch(const LikelihoodArgs& args, Stream stream);

struct ObservationMeanArgs {
  math::LikelihoodParameters likelihood;
  InMatrix output;  ///< (B,D), without the head's part for σ
  OutMatrix mean;   ///< (B,D), may be in place
  std::int64_t batch = 0;
  std::int64_t columns = 0;
};

/// mean = E[x | output].
void launch(const ObservationMeanArgs& args, Stream stream);

}  // namespace vaecuda::kernels
