// How rows come into a batch.
#pragma once

#include "kernels/math/counts.h"

namespace vaecuda::math {

enum class RowOrder : int { shuffled, sequential };
/// What becomes of a prepared value x: itself; x > ½; u ≤ x with u in (0,1] drawn.
enum class Binarize : int { none, threshold, stochastic };

/// What the encoder reads of a row, in the order of vaecuda::InputTransform.
enum class InputTransform : int { none, log1p, l2, binarize };

/// Of one value x ≥ 0; `inverse_norm`: 1 over the row's Euclidean norm, of l2 alone.
VAECUDA_HD float transformed(InputTransform kind, float x, float inverse_norm) {
  switch (kind) {
    case InputTransform::log1p:
      return log1p_positive(x);
    case InputTransform::l2:
      return x * inverse_norm;
    case InputTransform::binarize:
      return x > 0.0f ? 1.0f : 0.0f;
    case InputTransform::none:
      break;
  }
  return x;
}

/// 1 over the norm; 0 for a row of zeros, which stays one.
VAECUDA_HD float inverse_norm(float sum_of_squares) {
  return sum_of_squares > 0.0f ? 1.0f / square_root(sum_of_squares) : 0.0f;
}

}  // namespace vaecuda::math
