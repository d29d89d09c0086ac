// The penalty on a deterministic code: its mean square (the L2 term of Ghosh et al., arXiv 1903.12436).
#pragma once

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// What one latent contributes.
template <typename T>
struct PenaltyValue {
  T penalty;
  T gradient;  ///< d penalty / d z
};

/// z² / Z, `inverse_dim` being 1/Z: summed over the latents it is the code's mean square.
template <typename T>
VAECUDA_HD PenaltyValue<T> code_penalty(T z, T inverse_dim) {
  const T share = z * inverse_dim;
  return PenaltyValue<T>{share * z, share + share};
}

}  // namespace vaecuda::math
