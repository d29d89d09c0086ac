// Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1) and AdamW (Loshchilov and Hutter, arXiv 1711.05101).
#pragma once

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// What stays the same over a run.
template <typename T>
struct AdamConstants {
  T beta1{};
  T beta2{};
  T epsilon{};
  T weight_decay{};
  bool decoupled = false;  ///< AdamW: the decay acts on the weight, not through the gradient
  // Given apart where β is known in more digits than T has: 1 − 0.999f is off by 1.3e-5 of itself.
  T one_minus_beta1 = T(1) - beta1;
  T one_minus_beta2 = T(1) - beta2;
};

/// What changes from step to step, computed once per step in double precision.
template <typename T>
struct AdamStep {
  T lr;                  ///< learning rate of this step
  T step_size;           ///< lr / (1 − β1^t)
  T inverse_sqrt_bias2;  ///< 1 / √(1 − β2^t)
  T gradient_scale;      ///< 1, or the factor that clips the global norm
};

/// The numbers of one step's update without weight decay and clipping.
template <typename T>
struct PlainAdamCoefficients {
  T one_minus_beta1;
  T beta2;
  T one_minus_beta2;
  T epsilon;
  T step_size;
  T inverse_sqrt_bias2;
};

/// All numbers of one step's update.
template <typename T>
struct AdamCoefficients : PlainAdamCoefficients<T> {
  T coupled;    ///< decay through the gradient
  T decoupled;  ///< decay of the weight itself: its rate times lr
  T gradient_scale;
};

template <typename T>
VAECUDA_HD AdamCoefficients<T> adam_coefficients(const AdamConstants<T>& c, const AdamStep<T>& s) {
  const T coupled = c.decoupled ? T(0) : c.weight_decay;
  const T decoupled = c.decoupled ? s.lr * c.weight_decay : T(0);
  return AdamCoefficients<T>{{.one_minus_beta1 = c.one_minus_beta1,
                              .beta2 = c.beta2,
                              .one_minus_beta2 = c.one_minus_beta2,
                              .epsilon = c.epsilon,
                              .step_size = s.step_size,
                              .inverse_sqrt_bias2 = s.inverse_sqrt_bias2},
                             coupled,
                             decoupled,
                             s.gradient_scale};
}

/// True where the plain coefficients alone give the same update.
template <typename T>
VAECUDA_HD bool is_plain(const AdamCoefficients<T>& c) {
  return c.coupled == T(0) && c.decoupled == T(0) && c.gradient_scale == T(1);
}

template <typename T>
struct AdamElement {
  T parameter;
  T moment1;
  T moment2;
};

/// True for a gradient that no update may use: NaN, infinite, or, after clipping, so large (above 1.8e19)
/// that its square is infinite.
VAECUDA_HD bool is_unusable_gradient(float gradient, float gradient_scale) {
  const float clipped = gradient * gradient_scale;
  return is_nonfinite(clipped * clipped);
}

/// One element's update. The caller skips elements whose gradient is unusable or whose result is.
template <typename T>
VAECUDA_HD AdamElement<T> adam_update(T parameter, T moment1, T moment2, T gradient,
                                      const PlainAdamCoefficients<T>& c) {
  const T m = moment1 + c.one_minus_beta1 * (gradient - moment1);
  const T v = c.beta2 * moment2 + c.one_minus_beta2 * gradient * gradient;
  const T denominator = square_root(v) * c.inverse_sqrt_bias2 + c.epsilon;
  return AdamElement<T>{parameter - c.step_size * m / denominator, m, v};
}

template <typename T>
VAECUDA_HD AdamElement<T> adam_update(T parameter, T moment1, T moment2, T gradient,
                                      const AdamCoefficients<T>& c) {
  const PlainAdamCoefficients<T>& plain = c;
  const T g = gradient * c.gradient_scale + c.coupled * parameter;
  return adam_update(parameter - c.decoupled * parameter, moment1, moment2, g, plain);
}

template <typename T>
VAECUDA_HD AdamElement<T> adam_update(T parameter, T moment1, T moment2, T gradient,
                                      const AdamConstants<T>& c, const AdamStep<T>& s) {
  return adam_update(parameter, moment1, moment2, gradient, adam_coefficients(c, s));
}

/// True for an element that no step may leave behind: the caller keeps the old one.
template <typename T>
VAECUDA_HD bool is_unusable_element(const AdamElement<T>& element) {
  // The first moment is finite where the second, a mean of squares, is.
  return is_nonfinite(element.parameter) || is_nonfinite(element.moment2);
}

}  // namespace vaecuda::math
