// Probability masses of counts: −log p(x) of one entry and its derivatives, in nats, with every constant.
//
// With lgamma alone the terms of an entry are far larger than their sum: at θ = 1e6 single precision leaves
// an error of nats. So an entry of x = 0 has a form without lgamma, and one of x > 0 is the binomial deviance
// and the errors of Stirling's formula (Loader 2000, "Fast and accurate computation of binomial
// probabilities"), in double precision: most entries are zeros.
#pragma once

#include <type_traits>

#include "kernels/math/domain.h"
#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// log Γ(z) = (z − ½) log z − z + ½ log 2π + stirling, and ψ(z) = log z − digamma, for z > 0.
struct GammaTail {
  double stirling;
  double digamma;
};

VAECUDA_HD GammaTail gamma_tail(double z) {
  constexpr double kEnough = 8.0;  // from here on the series below are within 2e-11
  double product = 1.0;            // z (z+1) … (z+7), and its derivative
  double slope = 0.0;
  double at = z;
  const bool is_small = z < kEnough;
  if (is_small) {
    for (int i = 0; i < 8; ++i) {
      slope = slope * at + product;
      product *= at;
      at += 1.0;
    }
  }
  const double r = 1.0 / at;
  const double r2 = r * r;
  GammaTail tail{
      r * (1.0 / 12 - r2 * (1.0 / 360 - r2 * (1.0 / 1260 - r2 * (1.0 / 1680 - r2 / 1188)))),
      r * (0.5 + r * (1.0 / 12 - r2 * (1.0 / 120 - r2 * (1.0 / 252 - r2 * (1.0 / 240 - r2 / 132)))))};
  if (is_small) {
    const double log_z = ::log(z);
    const double log_at = ::log(at);
    tail.stirling += (at - 0.5) * log_at - 8.0 - ::log(product) - (z - 0.5) * log_z;
    tail.digamma += log_z - log_at + slope / product;
  }
  return tail;
}

/// log(1 + x) for x ≥ 0, within 3 ulp.
VAECUDA_HD float log1p_positive(float x) {
  const bool is_large = x > 1.0f;
  const float small = log1p_unit(is_large ? 1.0f / x : x);
  return small + (is_large ? logarithm(x) : 0.0f);
}
VAECUDA_HD double log1p_positive(double x) {
  return ::log1p(x);
}

/// log(1 + e^x) within 3 ulp.
template <typename T>
VAECUDA_HD T softplus(T x) {
  return (x > T(0) ? x : T(0)) + log1p_unit(exponential(-absolute(x)));
}

/// 1 − e^−a for a ≥ 0, within 4 ulp also where a is small.
template <typename T>
VAECUDA_HD T one_minus_exponential(T a) {
  const T t = hyperbolic_tangent(T(0.5) * a);
  return T(2) * t / (T(1) + t);
}

/// A rate of log(1 + e^o), and d log rate / d o.
template <typename T>
struct SoftplusRate {
  T value;
  T slope;
};
template <typename T>
VAECUDA_HD SoftplusRate<T> softplus_rate(T o) {
  const T value = softplus(o);
  // Below, both rate and derivative are e^o to the last digit.
  return {value, o < T(-20) ? T(1) : logistic(o) / value};
}
VAECUDA_HD double log_softplus(double o) {
  return o < -40.0 ? o : ::log(softplus(o));
}

/// −log p(x) of one entry and its derivatives; those by what a mass does not have are 0.
template <typename T>
struct CountValue {
  T nll;
  T by_log_mean;
  T by_log_dispersion;
  T by_zero_logit;
};

/// What the mass of one entry depends on.
template <typename T>
struct CountEntry {
  T log_mean;    ///< log μ
  T mean;        ///< μ
  T dispersion;  ///< θ
  T zero_logit;  ///< of the additional zeros
};

/// x·log(x/μ) and the logarithm of Stirling's formula for x!: what x alone adds.
VAECUDA_HD double count_terms(double x, double log_mean) {
  constexpr double kHalfLogTwoPi = 0.91893853320467274;
  return x * (::log(x) - log_mean) + kHalfLogTwoPi + 0.5 * ::log(x) + gamma_tail(x).stirling;
}

/// Of all counts: `zero` for x = 0, in T; `positive` for x > 0.
struct Poisson {
  static constexpr const char* kName = "poisson";
  static constexpr ValueDomain kDomain = ValueDomain::count;
  static constexpr bool kHasSigma = false;
  static constexpr bool kIsMass = true;
  static constexpr bool kHasDispersion = false;
  static constexpr bool kHasZeroLogit = false;
  static constexpr bool kIsOfRow = false;  ///< a row's mass is no product: its sum N is given
  template <typename T>
  VAECUDA_HD CountValue<T> zero(const CountEntry<T>& entry) const {
    return {entry.mean, entry.mean, T(0), T(0)};
  }
  VAECUDA_HD CountValue<double> positive(double x, const CountEntry<double>& entry) const {
    return {count_terms(x, entry.log_mean) + (entry.mean - x), entry.mean - x, 0.0, 0.0};
  }
};

/// Negative binomial with mean μ and variance μ + μ²/θ.
struct NegativeBinomial {
  static constexpr const char* kName = "nb";
  static constexpr ValueDomain kDomain = ValueDomain::count;
  static constexpr bool kHasSigma = false;
  static constexpr bool kIsMass = true;
  static constexpr bool kHasDispersion = true;
  static constexpr bool kHasZeroLogit = false;
  static constexpr bool kIsOfRow = false;
  /// θ·log(1 + μ/θ).
  template <typename T>
  VAECUDA_HD CountValue<T> zero(const CountEntry<T>& entry) const {
    const T ratio = entry.mean / entry.dispersion;
    const T log = log1p_positive(ratio);
    const T slope = entry.mean / (T(1) + ratio);  // θμ/(θ+μ)
    return {entry.dispersion * log, slope, entry.dispersion * log - slope, T(0)};
  }
  VAECUDA_HD CountValue<double> positive(double x, const CountEntry<double>& entry) const {
    const double mean = entry.mean;
    const double theta = entry.dispersion;
    // log((θ+μ)/(θ+x)), whose argument may be near 1 or near 0.
    const double apart = (mean - x) / (theta + x);
    const double log = apart > -0.5 ? ::log1p(apart) : ::log((theta + mean) / (theta + x));
    const GammaTail of_theta = gamma_tail(theta);
    const GammaTail of_sum = gamma_tail(theta + x);
    const double nll = (theta + x) * log + count_terms(x, entry.log_mean) + 0.5 * ::log1p(x / theta) +
                       (of_theta.stirling - of_sum.stirling);
    const double share = theta / (theta + mean);
    // ψ(θ) − ψ(θ+x) + log(1 + μ/θ) + (x − μ)/(θ + μ)
    const double by_theta = log + (x - mean) / (theta + mean) + (of_sum.digamma - of_theta.digamma);
    return {nll, share * (mean - x), theta * by_theta, 0.0};
  }
};

/// A negative binomial with probability 1 − σ(l), else 0.
struct ZeroInflatedNegativeBinomial {
  static constexpr const char* kName = "zinb";
  static constexpr ValueDomain kDomain = ValueDomain::count;
  static constexpr bool kHasSigma = false;
  static constexpr bool kIsMass = true;
  static constexpr bool kHasDispersion = true;
  static constexpr bool kHasZeroLogit = true;
  static constexpr bool kIsOfRow = false;
  /// −log(σ(l) + σ(−l)·e^−a), a that of the negative binomial: from 1 − σ(−l)(1 − e^−a) where that is not
  /// small, which keeps a small a, and else as a difference of logarithms.
  template <typename T>
  VAECUDA_HD CountValue<T> zero(const CountEntry<T>& entry) const {
    const CountValue<T> counted = NegativeBinomial{}.zero(entry);
    const T a = counted.nll;
    const T l = entry.zero_logit;
    const T none = logistic(-l) * one_minus_exponential(a);  // 1 − p(0)
    const bool is_likely = none <= T(0.5);
    const T likely = log1p_unit(is_likely ? none / (T(1) - none) : T(0));
    const T sum = l + a;
    const T greater = sum > T(0) ? l : -a;
    const T unlikely = softplus(l) - (greater + log1p_unit(exponential(-absolute(sum))));
    const T of_count = logistic(-sum);  // that the zero is a count
    return {is_likely ? likely : unlikely, of_count * counted.by_log_mean,
            of_count * counted.by_log_dispersion, -logistic(sum) * none};
  }
  VAECUDA_HD CountValue<double> positive(double x, const CountEntry<double>& entry) const {
    CountValue<double> value = NegativeBinomial{}.positive(x, entry);
    value.nll += softplus(entry.zero_logit);
    value.by_zero_logit = logistic(entry.zero_logit);
    return value;
  }
};

/// A row of counts with the sum N, entry by entry, μ = N·p; what depends on N alone is multinomial_row.
struct Multinomial {
  static constexpr const char* kName = "multinomial";
  static constexpr ValueDomain kDomain = ValueDomain::count;
  static constexpr bool kHasSigma = false;
  static constexpr bool kIsMass = true;
  static constexpr bool kHasDispersion = false;
  static constexpr bool kHasZeroLogit = false;
  static constexpr bool kIsOfRow = true;
  template <typename T>
  VAECUDA_HD CountValue<T> zero(const CountEntry<T>& /*entry*/) const {
    return {T(0), T(0), T(0), T(0)};
  }
  VAECUDA_HD CountValue<double> positive(double x, const CountEntry<double>& entry) const {
    return {count_terms(x, entry.log_mean), -x, 0.0, 0.0};
  }
};

/// To be added to the entries of a multinomial row whose sum is N > 0.
VAECUDA_HD double multinomial_row(double sum) {
  return -count_terms(sum, ::log(sum));
}

/// How rates follow from the decoder's output, in the order of vaecuda::Rate.
enum class Rate : int {
  softmax,   ///< shares of a row that sum to 1
  softplus,  ///< each by itself
};

/// Where a negative binomial's dispersion comes from, in the order of vaecuda::Dispersion.
enum class Dispersion : int {
  scalar,  ///< one parameter, log θ
  column,  ///< one for each column
  entry,   ///< the decoder gives log θ for each entry, behind the rates
};

/// Planes of D columns in the decoder's output: rates, log θ where it comes from there, zero logits where the
/// mass has them; the last two begin at these planes.
struct CountPlanes {
  int dispersion;
  int zero_logit;
  int all;
};
template <typename Mass>
VAECUDA_HD CountPlanes count_planes(const Mass& /*mass*/, Dispersion source) {
  const int dispersions = Mass::kHasDispersion && source == Dispersion::entry ? 1 : 0;
  return {1, 1 + dispersions, 1 + dispersions + (Mass::kHasZeroLogit ? 1 : 0)};
}

/// A parameter log θ is used through this clamp, θ in [1e-4, 1e8].
inline constexpr float kLogDispersionMin = -9.2103404f;
inline constexpr float kLogDispersionMax = 18.420681f;

/// Beyond the clamp the gradient is taken at its end and passed straight through.
template <typename T>
VAECUDA_HD T clamped_dispersion(T log_dispersion) {
  log_dispersion = log_dispersion < T(kLogDispersionMin) ? T(kLogDispersionMin) : log_dispersion;
  log_dispersion = log_dispersion > T(kLogDispersionMax) ? T(kLogDispersionMax) : log_dispersion;
  return exponential(log_dispersion);
}

}  // namespace vaecuda::math
