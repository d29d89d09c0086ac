// The Gaussian latent: reparameterization, the KL divergence to the standard normal and their gradient
// (Kingma and Welling, arXiv 1312.6114, section 2.4 and appendix B), for one sample or several; and the
// log-ratio of posterior and prior with its gradient (Burda et al., arXiv 1509.00519, section 3).
#pragma once

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// log σ² is used through this clamp: e^20 and e^-30 keep every product finite in fp32.
inline constexpr float kLogvarMin = -30.0f;
inline constexpr float kLogvarMax = 20.0f;

/// What the head holds for the posterior's scale.
enum class ScaleHead : int { logvar, logsigma };

/// log σ² = factor · what the head holds. A multiplication by 1 changes no bit.
VAECUDA_HD float logvar_factor(ScaleHead head) {
  return head == ScaleHead::logsigma ? 2.0f : 1.0f;
}

template <typename T>
VAECUDA_HD T clamp_logvar(T logvar) {
  logvar = logvar < T(kLogvarMin) ? T(kLogvarMin) : logvar;
  return logvar > T(kLogvarMax) ? T(kLogvarMax) : logvar;
}

/// One latent's posterior N(mu, sigma²).
template <typename T>
struct LatentPosterior {
  T mu;
  T logvar;     ///< clamped
  T sigma;      ///< e^(logvar/2)
  bool inside;  ///< the clamp changed nothing
};

template <typename T>
VAECUDA_HD LatentPosterior<T> latent_posterior(T mu, T raw_scale, T factor) {
  const T given = factor * raw_scale;
  const T logvar = clamp_logvar(given);
  return LatentPosterior<T>{mu, logvar, exponential(T(0.5) * logvar), logvar == given};
}

/// KL(N(mu, sigma²) ‖ N(0, 1)) = ½(mu² + sigma² − 1 − logvar), nats.
template <typename T>
VAECUDA_HD T latent_kl(const LatentPosterior<T>& q) {
  return T(0.5) * (q.mu * q.mu + q.sigma * q.sigma - T(1) - q.logvar);
}

/// What one latent gives in the forward pass.
template <typename T>
struct LatentValue {
  T z;          ///< mu + sigma·ε
  T kl;         ///< latent_kl
  T log_ratio;  ///< log q(z|x) − log p(z) = ½(z² − ε² − logvar), nats
};

template <typename T>
VAECUDA_HD LatentValue<T> latent_forward(T mu, T raw_scale, T epsilon, T factor = T(1)) {
  const LatentPosterior<T> q = latent_posterior(mu, raw_scale, factor);
  const T z = mu + q.sigma * epsilon;
  return LatentValue<T>{z, latent_kl(q), T(0.5) * (z * z - epsilon * epsilon - q.logvar)};
}

/// The gradient by mu and log σ² as it is gathered over the samples of one latent.
template <typename T>
struct LatentSum {
  T dmu = T(0);
  T dlogvar = T(0);
};

/// One sample's part through z. Outside the clamp nothing of it reaches log σ².
template <typename T>
VAECUDA_HD void add_latent_sample(LatentSum<T>& sum, const LatentPosterior<T>& q, T epsilon, T dz) {
  sum.dmu += dz;
  sum.dlogvar += q.inside ? dz * T(0.5) * q.sigma * epsilon : T(0);
}

/// The same, and weight times the gradient of the log-ratio log q(z|x) − log p(z) of the sample: z by z, −½
/// by log σ² at fixed ε. Like the KL's gradient this part is taken at the clamped value and passed straight
/// through.
template <typename T>
VAECUDA_HD void add_weighted_latent_sample(LatentSum<T>& sum, const LatentPosterior<T>& q, T epsilon, T dz,
                                           T weight) {
  add_latent_sample(sum, q, epsilon, dz);
  const T z = q.mu + q.sigma * epsilon;
  sum.dmu += weight * z;
  sum.dlogvar += weight * T(0.5) * (z * q.sigma * epsilon - T(1));
}

template <typename T>
struct LatentGradient {
  T dmu;
  T dscale;  ///< by what the head holds for the scale
};

/// What the samples gave, and kl_weight times the KL's gradient: mu, ½(sigma² − 1). The latter is taken at
/// the clamped value and passed straight through, so that a saturated unit is pulled back.
template <typename T>
VAECUDA_HD LatentGradient<T> latent_gradient(const LatentSum<T>& sum, const LatentPosterior<T>& q,
                                             T kl_weight, T factor) {
  const T dlogvar = sum.dlogvar + kl_weight * T(0.5) * (q.sigma * q.sigma - T(1));
  return LatentGradient<T>{sum.dmu + kl_weight * q.mu, factor * dlogvar};
}

}  // namespace vaecuda::math
