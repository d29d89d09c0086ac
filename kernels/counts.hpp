// Rows of counts: their likelihood with its gradients, the mean of p(x|z), and what the encoder reads of
// them.
#pragma once

#include <cstdint>

#include "kernels/math/likelihood.h"
#include "kernels/math/rows.h"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

struct CountLikelihoodArgs {
  math::CountParameters likelihood;
  InMatrix output;                        ///< (B·K,P·D): the planes of math::count_planes
  InMatrix x;                             ///< (B,D)
  const float* log_dispersion = nullptr;  ///< parameters: (1) or (D); null: none
  float* nll = nullptr;
  std::int64_t nll_stride = 1;  ///< nll (B·K,1), floats from one row to the next
  /// As `output`, another memory; both pointers null: no gradient is wanted.
  OutMatrix gradient;
  OutMatrix dispersion_gradient;  ///< (B·K,1) or (B·K,D); null: no parameters, or not wanted
  float gradient_scale = 1.0f;
  std::int64_t batch = 0;
  std::int64_t samples = 1;  ///< K of each row
  std::int64_t columns = 0;
  std::int32_t* fault = nullptr;  ///< set to 1 by a row whose NLL is not finite; null: nobody asks
};

/// nll = Σ over D of −log p(x|output), nats; gradient = gradient_scale · d nll / d output;
/// dispersion_gradient = gradient_scale · d nll / d log θ.
void launch(const CountLikelihoodArgs& args, Stream stream);

struct CountMeanArgs {
  math::CountParameters likelihood;
  InMatrix output;  ///< (B,P·D)
  InMatrix x;       ///< (B,D); null: rows have the sum `sum`
  float sum = 1.0f;
  OutMatrix mean;  ///< (B,D), another memory than the output's
  std::int64_t batch = 0;
  std::int64_t columns = 0;
};

/// mean = E[x | output].
void launch(const CountMeanArgs& args, Stream stream);

struct TransformInputArgs {
  math::InputTransform kind = math::InputTransform::none;
  InMatrix x;     ///< (B,D)
  OutMatrix out;  ///< (B,D), another memory than x
  std::int64_t batch = 0;
  std::int64_t columns = 0;
};

/// out = what the encoder reads of x.
void launch(const TransformInputArgs& args, Stream stream);

}  // namespace vaecuda::kernels
