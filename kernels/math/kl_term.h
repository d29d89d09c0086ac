// What stands in the place of the batch's KL divergence in the loss.
#pragma once

#include "kernels/math/host_device.h"

namespace vaecuda::math {

enum class KlTermKind : int {
  free_bits,  ///< Σ over latents of max(λ, KL of the latent) (Kingma et al., arXiv 1606.04934, equation 15)
  capacity,   ///< |KL − C| (Burgess et al., arXiv 1804.03599, equation 8)
};

/// A term of the loss, and its derivative by the KL that it is made of.
template <typename T>
struct KlTerm {
  T value;
  T slope;
};

/// Of one latent's KL. At the bound itself the slope is 0.
template <typename T>
VAECUDA_HD KlTerm<T> free_bits_term(T kl, T free_bits) {
  return kl > free_bits ? KlTerm<T>{kl, T(1)} : KlTerm<T>{free_bits, T(0)};
}

/// Of the KL summed over latents. At the capacity itself the slope is 0.
template <typename T>
VAECUDA_HD KlTerm<T> capacity_term(T kl, T capacity) {
  if (kl > capacity) return KlTerm<T>{kl - capacity, T(1)};
  return KlTerm<T>{capacity - kl, kl < capacity ? T(-1) : T(0)};
}

}  // namespace vaecuda::math
