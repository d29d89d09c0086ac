// The Gaussian latent: reparameterization and the KL divergence to the standard normal (Kingma and Welling,
// arXiv 1312.6114, section 2.4 and appendix B).
#pragma once

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// logvar is used through this clamp: e^20 and e^-30 keep every product finite in fp32.
inline constexpr float kLogvarMin = -30.0f;
inline constexpr float kLogvarMax = 20.0f;

template <typename T>
VAECUDA_HD T clamp_logvar(T logvar) {
  logvar = logvar < T(kLogvarMin) ? T(kLogvarMin) : logvar;
  return logvar > T(kLogvarMax) ? T(kLogvarMax) : logvar;
}

/// What one latent gives in the forward pass.
template <typename T>
struct LatentValue {
  T z;   ///< mu + e^(logvar/2)·ε
  T kl;  ///< KL(N(mu, e^logvar) ‖ N(0, 1)) = ½(mu² + e^logvar − 1 − logvar), nats
};

template <typename T>
VAECUDA_HD LatentValue<T> latent_forward(T mu, T raw_logvar, T epsilon) {
  const T logvar = clamp_logvar(raw_logvar);
  const T sigma = exponential(T(0.5) * logvar);
  return LatentValue<T>{mu + sigma * epsilon, T(0.5) * (mu * mu + sigma * sigma - T(1) - logvar)};
}

template <typename T>
struct LatentGradient {
  T dmu;
  T dlogvar;
};

/// Gradient of reconstruction + kl_weight·KL. Outside the clamp the reconstruction's part of dlogvar is zero;
/// the KL's part is taken at the clamped value and passed straight through, so that a saturated unit is
/// pulled back.
template <typename T>
VAECUDA_HD LatentGradient<T> latent_backward(T mu, T raw_logvar, T epsilon, T dz, T kl_weight) {
  const T logvar = clamp_logvar(raw_logvar);
  const T sigma = exponential(T(0.5) * logvar);
  const T through = logvar == raw_logvar ? dz * T(0.5) * sigma * epsilon : T(0);
  return LatentGradient<T>{dz + kl_weight * mu, through + kl_weight * T(0.5) * (sigma * sigma - T(1))};
}

}  // namespace vaecuda::math
