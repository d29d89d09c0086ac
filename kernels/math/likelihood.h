// Negative log-likelihoods of one element and their derivatives, in nats. docs/extending.md adds one.
#pragma once

#include <type_traits>

#include "kernels/math/counts.h"
#include "kernels/math/domain.h"
#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// Where a likelihood's standard deviation σ comes from.
enum class SigmaSource : int {
  fixed,    ///< a constant
  learned,  ///< one parameter of the model, log σ
  head,     ///< the decoder gives it for each element, behind the means
};

/// σ of one element.
template <typename T>
struct Deviation {
  T log;      ///< log σ
  T inverse;  ///< 1/σ
  T slope;    ///< d log σ / d what it was made from
};

/// A learned log σ is used through this clamp, σ in [1e-6, 1e6]: squares of 1/σ stay finite in fp32.
inline constexpr float kLogSigmaMin = -13.815511f;
inline constexpr float kLogSigmaMax = 13.815511f;

/// Beyond the clamp the gradient is taken at its end and passed straight through.
template <typename T>
VAECUDA_HD Deviation<T> learned_deviation(T log_sigma) {
  log_sigma = log_sigma < T(kLogSigmaMin) ? T(kLogSigmaMin) : log_sigma;
  log_sigma = log_sigma > T(kLogSigmaMax) ? T(kLogSigmaMax) : log_sigma;
  return Deviation<T>{log_sigma, exponential(-log_sigma), T(1)};
}

/// A decoder's log σ lies in (−5, 5): an element that never varies would let it go to −∞ and the density to
/// +∞.
inline constexpr float kLogSigmaBound = 5.0f;

/// log σ = 5·tanh(raw / 5): raw itself near 0, and smooth everywhere.
template <typename T>
VAECUDA_HD Deviation<T> head_deviation(T raw) {
  const T t = hyperbolic_tangent(raw * T(1.0f / kLogSigmaBound));
  const T log_sigma = T(kLogSigmaBound) * t;
  return Deviation<T>{log_sigma, exponential(-log_sigma), T(1) - t * t};
}

template <typename T>
struct NllValue {
  T nll;
  T gradient;        ///< d nll / d output
  T sigma_gradient;  ///< d nll / d log σ; 0 where there is no σ
};

/// Bernoulli with probability σ(l), from the logit l; x in [0, 1]:
/// −log p(x|l) = max(l, 0) − l·x + log(1 + e^−|l|).
struct BernoulliLogits {
  static constexpr const char* kName = "bernoulli";
  static constexpr bool kHasSigma = false;
  static constexpr ValueDomain kDomain = ValueDomain::unit;
  static constexpr bool kIsMass = true;  ///< p(x|l) is a probability, not a density: units of x do not matter
  template <typename T>
  VAECUDA_HD NllValue<T> operator()(T l, T x, const Deviation<T>& /*sigma*/) const {
    const T e = exponential(-absolute(l));
    const T positive = l >= T(0) ? T(1) : T(0);
    const T sigmoid = (positive + (T(1) - positive) * e) / (T(1) + e);
    return NllValue<T>{l * (positive - x) + log1p_unit(e), sigmoid - x, T(0)};
  }
  /// The mean of p(x|l).
  template <typename T>
  VAECUDA_HD T mean(T l) const {
    return logistic(l);
  }
  /// The output whose mean this is.
  static double output_of(double mean) { return ::log(mean / (1.0 - mean)); }
};

/// Gaussian with mean m and deviation σ: ½((m − x)/σ)² + log σ + ½·log 2π.
struct Gaussian {
  static constexpr const char* kName = "gaussian";
  static constexpr bool kHasSigma = true;
  static constexpr ValueDomain kDomain = ValueDomain::real;
  static constexpr bool kIsMass = false;
  template <typename T>
  VAECUDA_HD NllValue<T> operator()(T m, T x, const Deviation<T>& sigma) const {
    const T d = (m - x) * sigma.inverse;
    return NllValue<T>{T(0.5) * d * d + (sigma.log + T(0.91893853320467274)), d * sigma.inverse,
                       T(1) - d * d};
  }
  template <typename T>
  VAECUDA_HD T mean(T m) const {
    return m;
  }
  static double output_of(double mean) { return mean; }
  /// |m − x| / σ, from the nats above those of x = m.
  static double distance_of(double nats) { return ::sqrt(2.0 * nats); }
};

/// Laplace with mean m and deviation σ, that is with the scale b = σ/√2: |m − x|/b + log 2b.
struct Laplace {
  static constexpr const char* kName = "laplace";
  static constexpr bool kHasSigma = true;
  static constexpr ValueDomain kDomain = ValueDomain::real;
  static constexpr bool kIsMass = false;
  template <typename T>
  VAECUDA_HD NllValue<T> operator()(T m, T x, const Deviation<T>& sigma) const {
    const T inverse_scale = T(1.4142135623730951) * sigma.inverse;
    const T d = (m - x) * inverse_scale;
    const T side = d > T(0) ? inverse_scale : -inverse_scale;
    return NllValue<T>{absolute(d) + (sigma.log + T(0.34657359027997264)), d == T(0) ? T(0) : side,
                       T(1) - absolute(d)};
  }
  template <typename T>
  VAECUDA_HD T mean(T m) const {
    return m;
  }
  static double output_of(double mean) { return mean; }
  static double distance_of(double nats) { return nats / ::sqrt(2.0); }
};

template <typename... Functors>
struct LikelihoodTable {};

/// Likelihoods of entries that do not depend on each other: adding one takes a functor above, its name at the
/// end here, and one in the same place of vaecuda::Likelihood.
using ElementLikelihoods = LikelihoodTable<BernoulliLogits, Gaussian, Laplace>;
/// Those of counts (counts.h), whose entries share what their row has.
using CountLikelihoods =
    LikelihoodTable<Poisson, NegativeBinomial, ZeroInflatedNegativeBinomial, Multinomial>;

template <typename... Elements, typename... Counts>
constexpr LikelihoodTable<Elements..., Counts...> joined(LikelihoodTable<Elements...> /*elements*/,
                                                         LikelihoodTable<Counts...> /*counts*/) {
  return {};
}
/// All, in the order of vaecuda::Likelihood.
using Likelihoods = decltype(joined(ElementLikelihoods{}, CountLikelihoods{}));

/// A place in the table.
enum class LikelihoodKind : int {};

template <typename Functor, typename First, typename... Rest>
constexpr int likelihood_place(LikelihoodTable<First, Rest...> /*table*/) {
  if constexpr (std::is_same_v<Functor, First>) {
    return 0;
  } else {
    return 1 + likelihood_place<Functor>(LikelihoodTable<Rest...>{});
  }
}
template <typename Functor>
inline constexpr LikelihoodKind kLikelihoodKind{likelihood_place<Functor>(Likelihoods{})};

/// The parameters of a likelihood as an op carries them.
struct LikelihoodParameters {
  LikelihoodKind kind = kLikelihoodKind<BernoulliLogits>;
  SigmaSource source = SigmaSource::fixed;
  float log_sigma = 0.0f;      ///< fixed
  float inverse_sigma = 1.0f;  ///< fixed
};

/// Those of a likelihood of counts. A multinomial's rates are shares of the row's sum, whatever is said here.
struct CountParameters {
  LikelihoodKind kind = kLikelihoodKind<Poisson>;
  Rate rate = Rate::softmax;
  Dispersion dispersion = Dispersion::column;
  bool of_row_sum = true;  ///< rates are multiplied by the sum of the row's counts
};

VAECUDA_HD_EITHER
template <typename Use>
VAECUDA_HD void with_likelihood_at(int /*place*/, Use&& /*use*/, LikelihoodTable<> /*end*/) {}

VAECUDA_HD_EITHER
template <typename Use, typename First, typename... Rest>
VAECUDA_HD void with_likelihood_at(int place, Use&& use, LikelihoodTable<First, Rest...> /*table*/) {
  if (place == 0) {
    use(First{});
  } else {
    with_likelihood_at(place - 1, use, LikelihoodTable<Rest...>{});
  }
}

/// Calls `use` with the functor of a likelihood.
VAECUDA_HD_EITHER
template <typename Use>
VAECUDA_HD void with_likelihood(LikelihoodKind kind, Use&& use) {
  with_likelihood_at(static_cast<int>(kind), use, Likelihoods{});
}
/// The same for those of entries alone: does nothing for one of counts.
VAECUDA_HD_EITHER
template <typename Use>
VAECUDA_HD void with_element_likelihood(LikelihoodKind kind, Use&& use) {
  with_likelihood_at(static_cast<int>(kind), use, ElementLikelihoods{});
}
/// The same for those of counts alone.
VAECUDA_HD_EITHER
template <typename Use>
VAECUDA_HD void with_count_likelihood(LikelihoodKind kind, Use&& use) {
  constexpr int kFirst = static_cast<int>(kLikelihoodKind<Poisson>);
  with_likelihood_at(static_cast<int>(kind) - kFirst, use, CountLikelihoods{});
}

/// Calls `use` with the source of σ as a std::integral_constant: fixed for a likelihood that has no σ.
VAECUDA_HD_EITHER
template <typename Likelihood, typename Use>
VAECUDA_HD void with_sigma_source(const Likelihood& /*likelihood*/, SigmaSource source, Use&& use) {
  if (!Likelihood::kHasSigma || source == SigmaSource::fixed) {
    use(std::integral_constant<SigmaSource, SigmaSource::fixed>{});
  } else if constexpr (Likelihood::kHasSigma) {
    if (source == SigmaSource::learned) {
      use(std::integral_constant<SigmaSource, SigmaSource::learned>{});
    } else {
      use(std::integral_constant<SigmaSource, SigmaSource::head>{});
    }
  }
}

}  // namespace vaecuda::math
