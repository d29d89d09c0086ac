// Negative log-likelihoods of one element and their derivatives by the decoder's output, in nats.
#pragma once

#include "kernels/math/elementary.h"

namespace vaecuda::math {

enum class LikelihoodKind : int { bernoulli, gaussian };

template <typename T>
struct NllValue {
  T nll;
  T gradient;  ///< d nll / d output
};

/// Bernoulli with probability σ(l), from the logit l; x in [0, 1]:
/// −log p(x|l) = max(l, 0) − l·x + log(1 + e^−|l|).
struct BernoulliLogits {
  template <typename T>
  VAECUDA_HD NllValue<T> operator()(T l, T x) const {
    const T e = exponential(-absolute(l));
    const T positive = l >= T(0) ? T(1) : T(0);
    const T sigmoid = (positive + (T(1) - positive) * e) / (T(1) + e);
    return NllValue<T>{l * (positive - x) + log1p_unit(e), sigmoid - x};
  }
  /// The mean of p(x|l).
  template <typename T>
  VAECUDA_HD T mean(T l) const {
    return logistic(l);
  }
};

/// Gaussian with mean m and a fixed deviation σ: ½((x − m)/σ)² + log σ + ½·log 2π.
template <typename T>
struct GaussianFixed {
  T inverse_variance;  ///< 1/σ²
  T log_normalizer;    ///< log σ + ½·log 2π
  VAECUDA_HD NllValue<T> operator()(T m, T x) const {
    const T difference = m - x;
    return NllValue<T>{T(0.5) * difference * difference * inverse_variance + log_normalizer,
                       difference * inverse_variance};
  }
  VAECUDA_HD T mean(T m) const { return m; }
};

/// The parameters of a likelihood as an op carries them.
struct LikelihoodParameters {
  LikelihoodKind kind = LikelihoodKind::bernoulli;
  float inverse_variance = 1.0f;
  float log_normalizer = 0.0f;
};

/// Calls `use` with the functor of a likelihood: adding one takes a functor above and a line here.
VAECUDA_HD_EITHER
template <typename Use>
VAECUDA_HD void with_likelihood(const LikelihoodParameters& parameters, Use&& use) {
  switch (parameters.kind) {
    case LikelihoodKind::bernoulli:
      use(BernoulliLogits{});
      break;
    case LikelihoodKind::gaussian:
      use(GaussianFixed<float>{parameters.inverse_variance, parameters.log_normalizer});
      break;
  }
}

}  // namespace vaecuda::math
