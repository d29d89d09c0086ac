// Importance weights of several latent samples of one row (Burda et al., arXiv 1509.00519, equations 8 and
// 14).
#pragma once

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// log w = log p(x|z) + log p(z) − log q(z|x) from nll = −log p(x|z) and log_ratio = log q(z|x) − log p(z).
template <typename T>
VAECUDA_HD T log_weight(T nll, T log_ratio) {
  return -(nll + log_ratio);
}

/// w relative to the row's largest, so that no exponential overflows.
template <typename T>
VAECUDA_HD T relative_weight(T log_w, T largest_log_w) {
  return exponential(log_w - largest_log_w);
}

/// −log (1/K Σ w) from the sum of the relative weights.
template <typename T>
VAECUDA_HD T bound_loss(T largest_log_w, T sum, T inverse_samples) {
  const T mean = sum * inverse_samples;
  return mean > T(0) ? -(largest_log_w + logarithm(mean)) : mean;  // logarithm() would hide a NaN
}

}  // namespace vaecuda::math
