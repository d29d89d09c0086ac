// The masses of counts: against mpmath over the documented range, against sums and central differences in
// double precision, and where their two forms meet.
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "kernels/math/counts.h"
#include "support/calculus.hpp"
#include "support/catch.hpp"

namespace math = vaecuda::math;
using vaecuda::test::slope;

namespace {

struct Reference {
  float x;
  float mean;
  float dispersion;
  double nll;
  double by_log_dispersion;
  double terms;  // of by_log_dispersion
};
constexpr Reference kReferences[] = {
#include "math/count_reference.inc"
};

template <typename T>
math::CountEntry<T> entry(T mean, T dispersion, T zero_logit = T(0)) {
  return {std::log(mean), mean, dispersion, zero_logit};
}

// What an op computes: zeros in T, the rest in double precision.
template <typename T, typename Mass>
math::CountValue<double> value_of(const Mass& mass, double x, const math::CountEntry<T>& at) {
  if (x == 0.0) {
    const math::CountValue<T> v = mass.zero(at);
    return {static_cast<double>(v.nll), static_cast<double>(v.by_log_mean),
            static_cast<double>(v.by_log_dispersion), static_cast<double>(v.by_zero_logit)};
  }
  const auto mean = static_cast<double>(at.mean);
  return mass.positive(
      x, {std::log(mean), mean, static_cast<double>(at.dispersion), static_cast<double>(at.zero_logit)});
}

// The largest errors over the references that `of_interest` picks, in units of what is allowed.
struct Worst {
  int count = 0;
  double nll = 0.0;
  double by_mean = 0.0;
  double by_dispersion = 0.0;
};

template <typename Pick>
Worst worst_of(const Pick& of_interest) {
  Worst worst;
  for (const Reference& r : kReferences) {
    if (!of_interest(r)) continue;
    ++worst.count;
    const auto value =
        value_of(math::NegativeBinomial{}, static_cast<double>(r.x), entry(r.mean, r.dispersion));
    const auto theta = static_cast<double>(r.dispersion);
    const auto mu = static_cast<double>(r.mean);
    const auto x = static_cast<double>(r.x);
    const double by_mean = theta * (mu - x) / (theta + mu);
    const double allowed = theta * (mu + x) / (theta + mu);
    worst.nll = std::fmax(worst.nll, std::fabs(value.nll - r.nll) / std::fabs(r.nll));
    worst.by_mean = std::fmax(worst.by_mean, std::fabs(value.by_log_mean - by_mean) / allowed);
    worst.by_dispersion =
        std::fmax(worst.by_dispersion, std::fabs(value.by_log_dispersion - r.by_log_dispersion) /
                                           (std::fabs(r.by_log_dispersion) + r.terms));
  }
  return worst;
}

// Sum of p(x)·x^power over the counts that matter.
template <typename Mass>
double moment(const Mass& mass, const math::CountEntry<double>& at, int power) {
  double sum = 0.0;
  for (int x = 0; x < 4000; ++x) {
    sum += std::pow(static_cast<double>(x), power) * std::exp(-value_of(mass, x, at).nll);
  }
  return sum;
}

}  // namespace

TEST_CASE("the negative binomial agrees with mpmath over its whole range", "[counts]") {
  struct Part {
    const char* name;
    Worst worst;
  };
  const std::array parts = {
      Part{"x = 0", worst_of([](const Reference& r) { return r.x == 0.0f; })},
      Part{"x > 0, theta < 8", worst_of([](const Reference& r) { return r.x > 0 && r.dispersion < 8; })},
      Part{"x > 0, theta < 1e4",
           worst_of([](const Reference& r) { return r.x > 0 && r.dispersion >= 8 && r.dispersion < 1e4f; })},
      Part{"x > 0, theta to 1e8",
           worst_of([](const Reference& r) { return r.x > 0 && r.dispersion >= 1e4f; })}};
  std::string table = "largest relative errors      entries      NLL   by log mu   by log theta\n";
  for (const Part& part : parts) {
    char line[128];
    std::snprintf(line, sizeof line, "%-24s %11d  %.1e     %.1e        %.1e\n", part.name, part.worst.count,
                  part.worst.nll, part.worst.by_mean, part.worst.by_dispersion);
    table += line;
    INFO(part.name);
    CHECK(part.worst.count > 50);
    CHECK(part.worst.nll <= 2e-6);
    CHECK(part.worst.by_mean <= 1e-6);
    CHECK(part.worst.by_dispersion <= 2e-6);
  }
  std::printf("%s", table.c_str());
}

TEMPLATE_TEST_CASE("a mass of counts sums to one, with its mean and variance", "[counts]", math::Poisson,
                   math::NegativeBinomial, math::ZeroInflatedNegativeBinomial) {
  const TestType mass;
  for (const double mean : {0.3, 4.0, 60.0}) {
    for (const double theta : {0.7, 9.0, 1e5}) {
      for (const double logit : {-3.0, 0.8}) {
        INFO("mu = " << mean << ", theta = " << theta << ", zero logit = " << logit);
        const auto at = entry(mean, theta, logit);
        const double zeros = TestType::kHasZeroLogit ? 1.0 / (1.0 + std::exp(-logit)) : 0.0;
        const double spread = TestType::kHasDispersion ? mean * mean / theta : 0.0;
        CHECK(moment(mass, at, 0) == Approx(1.0).epsilon(1e-9));
        CHECK(moment(mass, at, 1) == Approx((1.0 - zeros) * mean).epsilon(1e-9));
        CHECK(moment(mass, at, 2) == Approx((1.0 - zeros) * (mean + spread + mean * mean)).epsilon(1e-9));
      }
    }
  }
}

TEMPLATE_TEST_CASE("the derivatives of a mass are its slopes", "[counts]", math::Poisson,
                   math::NegativeBinomial, math::ZeroInflatedNegativeBinomial) {
  const TestType mass;
  for (const double x : {0.0, 1.0, 3.0, 40.0}) {
    for (const double log_mean : {-2.0, 0.4, 3.5}) {
      for (const double log_theta : {-3.0, 0.2, 2.2, 9.0}) {
        for (const double logit : {-5.0, -0.5, 2.0}) {
          INFO("x = " << x << ", log mu = " << log_mean << ", log theta = " << log_theta
                      << ", l = " << logit);
          const auto nll = [&](double m, double t, double l) {
            return value_of(mass, x, math::CountEntry<double>{m, std::exp(m), std::exp(t), l}).nll;
          };
          const auto value = value_of(
              mass, x, math::CountEntry<double>{log_mean, std::exp(log_mean), std::exp(log_theta), logit});
          const double size = 1e-8 * (1.0 + std::fabs(value.nll));
          CHECK(value.by_log_mean ==
                Approx(slope([&](double m) { return nll(m, log_theta, logit); }, log_mean)).margin(size));
          CHECK(value.by_log_dispersion ==
                Approx(slope([&](double t) { return nll(log_mean, t, logit); }, log_theta)).margin(size));
          CHECK(value.by_zero_logit ==
                Approx(slope([&](double l) { return nll(log_mean, log_theta, l); }, logit)).margin(size));
        }
      }
    }
  }
}

TEST_CASE("the zero-inflated mass of 0 keeps its digits in single precision", "[counts]") {
  const math::ZeroInflatedNegativeBinomial mass;
  for (const float logit : {-60.0f, -20.0f, -4.0f, -0.1f, 0.0f, 3.0f, 20.0f, 60.0f}) {
    for (const float mean : {1e-6f, 1e-2f, 0.7f, 30.0f, 1e4f}) {
      for (const float theta : {0.01f, 2.0f, 1e6f}) {
        INFO("l = " << logit << ", mu = " << mean << ", theta = " << theta);
        const auto value = mass.zero(entry(mean, theta, logit));
        const auto wide = [](float v) { return static_cast<long double>(v); };
        const long double a = wide(theta) * std::log1p(wide(mean) / wide(theta));
        const long double none = -std::expm1(-a) / (1.0L + std::exp(wide(logit)));
        const long double nll =
            none < 0.5L ? -std::log1p(-none)
                        : -std::log((std::exp(wide(logit)) + std::exp(-a)) / (1.0L + std::exp(wide(logit))));
        const long double by_logit = -none / (1.0L + std::exp(-wide(logit) - a));
        CHECK(static_cast<double>(value.nll) == Approx(static_cast<double>(nll)).epsilon(2e-6));
        CHECK(static_cast<double>(value.by_zero_logit) ==
              Approx(static_cast<double>(by_logit)).epsilon(3e-6).margin(1e-37));
      }
    }
  }
}

TEST_CASE("a multinomial row is the Poisson row less that of its sum", "[counts]") {
  const std::array<double, 5> counts = {0.0, 3.0, 1.0, 0.0, 12.0};
  const std::array<double, 5> p = {0.1, 0.25, 0.05, 0.2, 0.4};
  constexpr double kSum = 16.0;
  double nll = math::multinomial_row(kSum);
  double textbook = -std::lgamma(kSum + 1.0);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    nll += value_of(math::Multinomial{}, counts[i], entry(kSum * p[i], 1.0)).nll;
    textbook += std::lgamma(counts[i] + 1.0) - counts[i] * std::log(p[i]);
    CHECK(value_of(math::Multinomial{}, counts[i], entry(kSum * p[i], 1.0)).by_log_mean == -counts[i]);
  }
  CHECK(nll == Approx(textbook).epsilon(1e-12));
}

TEST_CASE("the negative binomial becomes the Poisson", "[counts]") {
  for (const double x : {0.0, 1.0, 20.0}) {
    const auto poisson = value_of(math::Poisson{}, x, entry(7.0, 1.0));
    const auto binomial = value_of(math::NegativeBinomial{}, x, entry(7.0, 1e8));
    CHECK(binomial.nll == Approx(poisson.nll).epsilon(1e-5));
    CHECK(binomial.by_log_mean == Approx(poisson.by_log_mean).epsilon(1e-6));
    CHECK(std::fabs(binomial.by_log_dispersion) < 1e-4);
  }
}

TEST_CASE("a dispersion is used through its clamp, and what is no number stays none", "[counts]") {
  CHECK(math::clamped_dispersion(-40.0f) == Approx(1e-4).epsilon(1e-6));
  CHECK(math::clamped_dispersion(40.0f) == Approx(1e8).epsilon(2e-6));
  CHECK(math::clamped_dispersion(0.0f) == 1.0f);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(math::clamped_dispersion(nan)));
  CHECK(std::isnan(math::NegativeBinomial{}.zero(entry(nan, 1.0f)).nll));
  CHECK(std::isnan(math::Poisson{}.zero(entry(nan, 1.0f)).nll));
  CHECK(std::isnan(math::ZeroInflatedNegativeBinomial{}.zero(entry(1.0f, 1.0f, nan)).nll));
}

TEST_CASE("softplus, log1p and 1 - exp keep their digits", "[counts]") {
  for (double x = -80.0; x < 80.0; x += 0.37) {
    const auto f = static_cast<float>(x);
    const auto exact = std::log1p(std::exp(-std::fabs(static_cast<double>(f)))) + std::fmax(f, 0.0);
    CHECK(math::softplus(f) == Approx(exact).epsilon(3.0 * 0x1p-23));
  }
  for (double x = -30.0; x < 25.0; x += 0.37) {
    const auto f = static_cast<float>(std::exp(x));
    CHECK(math::log1p_positive(f) == Approx(std::log1p(static_cast<double>(f))).epsilon(3.0 * 0x1p-23));
    CHECK(math::one_minus_exponential(f) ==
          Approx(-std::expm1(-static_cast<double>(f))).epsilon(4.0 * 0x1p-23));
  }
}
