// Activation functions and their derivatives. `saved` is what the backward pass keeps: the output where the
// derivative follows from it (ReLU, leaky ReLU, tanh), else the pre-activation (GELU, SiLU).
#pragma once

#include "kernels/math/elementary.h"

namespace vaecuda::math {

enum class ActivationKind : int { identity, relu, tanh, leaky_relu, gelu, gelu_tanh, silu };

/// Slope of leaky ReLU left of zero, PyTorch's default.
inline constexpr float kLeakySlope = 0.01f;

/// True if the derivative needs the pre-activation.
VAECUDA_HD bool saves_preactivation(ActivationKind kind) {
  return kind == ActivationKind::gelu || kind == ActivationKind::gelu_tanh || kind == ActivationKind::silu;
}

struct Identity {
  template <typename T>
  VAECUDA_HD T forward(T a) const {
    return a;
  }
  template <typename T>
  VAECUDA_HD T derivative(T) const {
    return T(1);
  }
};

struct Relu {
  // Written so that NaN passes through, as it does in PyTorch.
  template <typename T>
  VAECUDA_HD T forward(T a) const {
    return a < T(0) ? T(0) : a;
  }
  template <typename T>
  VAECUDA_HD T derivative(T h) const {
    return h > T(0) ? T(1) : T(0);
  }
};

struct LeakyRelu {
  template <typename T>
  VAECUDA_HD T forward(T a) const {
    return a < T(0) ? T(kLeakySlope) * a : a;
  }
  template <typename T>
  VAECUDA_HD T derivative(T h) const {
    return h > T(0) ? T(1) : T(kLeakySlope);
  }
};

struct Tanh {
  template <typename T>
  VAECUDA_HD T forward(T a) const {
    return hyperbolic_tangent(a);
  }
  template <typename T>
  VAECUDA_HD T derivative(T h) const {
    return T(1) - h * h;
  }
};

/// x·Φ(x) with the normal distribution's Φ (Hendrycks and Gimpel, arXiv 1606.08415).
struct Gelu {
  template <typename T>
  VAECUDA_HD T forward(T a) const {
    return T(0.5) * a * (T(1) + error_function(a * T(0.70710678118654752)));
  }
  template <typename T>
  VAECUDA_HD T derivative(T a) const {
    const T cdf = T(0.5) * (T(1) + error_function(a * T(0.70710678118654752)));
    const T pdf = T(0.39894228040143268) * exponential(T(-0.5) * a * a);
    return cdf + a * pdf;
  }
};

/// The same paper's tanh approximation.
struct GeluTanh {
  template <typename T>
  VAECUDA_HD T forward(T a) const {
    const T t = hyperbolic_tangent(T(0.79788456080286536) * (a + T(0.044715) * a * a * a));
    return T(0.5) * a * (T(1) + t);
  }
  template <typename T>
  VAECUDA_HD T derivative(T a) const {
    const T t = hyperbolic_tangent(T(0.79788456080286536) * (a + T(0.044715) * a * a * a));
    const T du = T(0.79788456080286536) * (T(1) + T(3 * 0.044715) * a * a);
    return T(0.5) * (T(1) + t) + T(0.5) * a * (T(1) - t * t) * du;
  }
};

struct Silu {
  template <typename T>
  VAECUDA_HD T forward(T a) const {
    return a * logistic(a);
  }
  template <typename T>
  VAECUDA_HD T derivative(T a) const {
    const T s = logistic(a);
    return s * (T(1) + a * (T(1) - s));
  }
};

/// Calls `use` with the functor of `kind`: the one place that ties the names to the formulas.
VAECUDA_HD_EITHER
template <typename Use>
VAECUDA_HD void with_activation(ActivationKind kind, Use&& use) {
  switch (kind) {
    case ActivationKind::identity:
      use(Identity{});
      break;
    case ActivationKind::relu:
      use(Relu{});
      break;
    case ActivationKind::tanh:
      use(Tanh{});
      break;
    case ActivationKind::leaky_relu:
      use(LeakyRelu{});
      break;
    case ActivationKind::gelu:
      use(Gelu{});
      break;
    case ActivationKind::gelu_tanh:
      use(GeluTanh{});
      break;
    case ActivationKind::silu:
      use(Silu{});
      break;
  }
}

}  // namespace vaecuda::math
