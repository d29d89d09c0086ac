// The likelihoods at double precision: against central differences, against their definitions written another
// way, and against numerical integrals.
#include <cmath>
#include <limits>
#include <string>

#include "kernels/math/likelihood.h"
#include "support/calculus.hpp"
#include "support/catch.hpp"

namespace math = vaecuda::math;
using vaecuda::test::integrate;
using vaecuda::test::kDifferenceTolerance;
using vaecuda::test::normal_density;
using vaecuda::test::slope;

namespace {

// The functor without the σ that it does not read.
template <typename T>
math::NllValue<T> bernoulli(T l, T x) {
  return math::BernoulliLogits{}(l, x, math::Deviation<T>{T(0), T(1), T(1)});
}

math::Deviation<double> deviation_of(double log_sigma) {
  return {log_sigma, std::exp(-log_sigma), 1.0};
}

// The logarithm of a density with mean m and deviation σ, written out, off the kinks.
double log_density(const math::Gaussian& /*kind*/, double x, double m, double sigma) {
  return std::log(normal_density(x, m, sigma));
}
double log_density(const math::Laplace& /*kind*/, double x, double m, double sigma) {
  const double b = sigma / std::sqrt(2.0);
  return -std::fabs(x - m) / b - std::log(2.0 * b);
}

}  // namespace

TEST_CASE("Bernoulli NLL is the cross entropy", "[likelihood]") {
  const auto likelihood = [](auto l, auto x) { return bernoulli(l, x); };
  for (const double l : {-30.0, -8.0, -1.0, -1e-3, 0.0, 0.4, 2.0, 12.0, 30.0}) {
    for (const double x : {0.0, 1.0, 0.25, 0.731}) {
      INFO("l = " << l << ", x = " << x);
      const long double p = 1.0L / (1.0L + std::exp(-static_cast<long double>(l)));
      const long double rest = 1.0L / (1.0L + std::exp(static_cast<long double>(l)));  // 1 − p
      const auto nll = static_cast<double>(-static_cast<long double>(x) * std::log(p) -
                                           (1.0L - static_cast<long double>(x)) * std::log(rest));
      const auto value = likelihood(l, x);
      CHECK(value.nll == Approx(nll).epsilon(1e-13).margin(1e-15));
      CHECK(value.gradient ==
            Approx(static_cast<double>(p) - x).epsilon(1e-12).margin(3e-16));  // two roundings at 1
      CHECK(value.gradient ==
            Approx(slope([&](double at) { return likelihood(at, x).nll; }, l)).margin(kDifferenceTolerance));
      CHECK(math::BernoulliLogits{}.mean(l) == Approx(static_cast<double>(p)).epsilon(1e-14));
      if (std::fabs(l) < 20.0) {  // beyond, 1 − p has lost the logit
        CHECK(math::BernoulliLogits::output_of(static_cast<double>(p)) ==
              Approx(l).epsilon(1e-6).margin(1e-12));
      }
    }
  }
}

TEST_CASE("Bernoulli NLL survives huge logits in single precision", "[likelihood]") {
  const auto likelihood = [](auto l, auto x) { return bernoulli(l, x); };
  CHECK(likelihood(1000.0f, 1.0f).nll == 0.0f);
  CHECK(likelihood(-1000.0f, 0.0f).nll == 0.0f);
  CHECK(likelihood(1000.0f, 0.0f).nll == 1000.0f);
  CHECK(likelihood(-1000.0f, 1.0f).nll == 1000.0f);
  CHECK(likelihood(3e38f, 0.0f).gradient == 1.0f);
  CHECK(likelihood(-3e38f, 1.0f).gradient == -1.0f);
  CHECK(likelihood(-200.0f, 0.0f).gradient == 0.0f);
  CHECK(std::isnan(likelihood(std::numeric_limits<float>::quiet_NaN(), 0.5f).nll));
  CHECK(std::isnan(likelihood(std::numeric_limits<float>::quiet_NaN(), 0.5f).gradient));
  // The small probabilities are kept: NLL of a zero where the logit says so is e^l, not 0.
  CHECK(likelihood(-30.0f, 0.0f).nll == Approx(std::exp(-30.0)).epsilon(1e-6));
  CHECK(likelihood(-30.0f, 0.0f).gradient == Approx(std::exp(-30.0)).epsilon(1e-6));
}

TEMPLATE_TEST_CASE("an NLL with a deviation is minus the logarithm of a density with it", "[likelihood]",
                   math::Gaussian, math::Laplace) {
  const TestType likelihood;
  for (const double log_sigma : {-2.3, -1.0, 0.0, 0.9}) {
    const math::Deviation<double> sigma = deviation_of(log_sigma);
    const double deviation = std::exp(log_sigma);
    for (const double m : {-1.5, 0.0, 0.7}) {
      for (const double x : {-1.0, 0.1, 0.2, 1.0}) {
        INFO("log sigma = " << log_sigma << ", m = " << m << ", x = " << x);
        const math::NllValue<double> value = likelihood(m, x, sigma);
        CHECK(value.nll == Approx(-log_density(likelihood, x, m, deviation)).epsilon(1e-12).margin(1e-13));
        const auto by_mean = [&](double at) { return likelihood(at, x, sigma).nll; };
        CHECK(value.gradient == Approx(slope(by_mean, m)).margin(1e-7));
        const auto by_sigma = [&](double at) { return likelihood(m, x, deviation_of(at)).nll; };
        CHECK(value.sigma_gradient == Approx(slope(by_sigma, log_sigma)).epsilon(1e-8).margin(1e-8));
        CHECK(likelihood.mean(m) == m);
        CHECK(TestType::output_of(m) == m);
      }
      // Of one, with mean m and deviation sigma; from the mean on, where a density may have a kink. Over
      // x = m ± sigma·sinh(t), which reaches a million deviations for the sake of heavy tails.
      const auto moment = [&](int power) {
        const auto side = [&](double sign) {
          const auto term = [&](double t) {
            const double away = sign * deviation * std::sinh(t);
            return std::pow(away, power) * std::exp(-likelihood(m, m + away, sigma).nll) * deviation *
                   std::cosh(t);
          };
          return integrate(term, 0.0, 14.5);
        };
        return side(-1.0) + side(1.0);
      };
      CHECK(moment(0) == Approx(1.0).epsilon(1e-7));
      CHECK(moment(1) == Approx(0.0).margin(1e-9));
      CHECK(moment(2) == Approx(deviation * deviation).epsilon(1e-7));
    }
  }
}

TEMPLATE_TEST_CASE("a likelihood says how far a value lies by its nats", "[likelihood]", math::Gaussian,
                   math::Laplace) {
  for (const double log_sigma : {-2.3, 0.0, 0.9}) {
    const math::Deviation<double> sigma = deviation_of(log_sigma);
    const double least = TestType{}(0.0, 0.0, sigma).nll;
    for (const double away : {20.0, 1000.0}) {
      const double nats = TestType{}(away * std::exp(log_sigma), 0.0, sigma).nll - least;
      CHECK(TestType::distance_of(nats) == Approx(away).epsilon(0.02));
    }
  }
}

TEST_CASE("the Laplace density's kink has no side", "[likelihood]") {
  const math::NllValue<double> value = math::Laplace{}(0.5, 0.5, deviation_of(0.0));
  CHECK(value.gradient == 0.0);
  CHECK(value.nll == Approx(0.5 * std::log(2.0)).epsilon(1e-14));
  CHECK(value.sigma_gradient == 1.0);
}

TEST_CASE("a learned deviation is used through its clamp", "[likelihood]") {
  for (const double log_sigma : {-13.8, -1.0, 0.0, 2.5, 13.8}) {
    const math::Deviation<double> sigma = math::learned_deviation(log_sigma);
    CHECK(sigma.log == log_sigma);
    CHECK(sigma.inverse == Approx(std::exp(-log_sigma)).epsilon(1e-14));
    CHECK(sigma.slope == 1.0);
  }
  CHECK(math::learned_deviation(-20.0).inverse == Approx(1e6).epsilon(1e-6));
  CHECK(math::learned_deviation(20.0).inverse == Approx(1e-6).epsilon(1e-6));
  CHECK(math::learned_deviation(-20.0).slope == 1.0);
  CHECK(std::isnan(math::learned_deviation(std::numeric_limits<double>::quiet_NaN()).log));
}

TEST_CASE("a decoder's deviation is bounded, smooth and near 0 what it says", "[likelihood]") {
  for (const double raw : {-40.0, -7.0, -1.0, -1e-3, 0.0, 0.5, 3.0, 11.0, 40.0}) {
    INFO("raw = " << raw);
    const math::Deviation<double> sigma = math::head_deviation(raw);
    CHECK(std::fabs(sigma.log) <= 5.0);
    CHECK(sigma.inverse == Approx(std::exp(-sigma.log)).epsilon(1e-14));
    CHECK(sigma.slope ==
          Approx(slope([](double at) { return math::head_deviation(at).log; }, raw)).margin(1e-8));
  }
  CHECK(math::head_deviation(1e-3).log == Approx(1e-3).epsilon(1e-6));
  CHECK(math::head_deviation(1e30f).log == 5.0f);
  CHECK(math::head_deviation(-1e30f).log == -5.0f);
}

TEST_CASE("the table hands out functors and sources", "[likelihood]") {
  const auto name_at = [](int place) {
    std::string name = "none";
    math::with_likelihood(math::LikelihoodKind(place), [&](auto f) { name = f.kName; });
    return name;
  };
  CHECK(name_at(0) == "bernoulli");
  CHECK(name_at(1) == "gaussian");
  CHECK(name_at(static_cast<int>(math::kLikelihoodKind<math::Laplace>)) == "laplace");
  CHECK(name_at(-1) == "none");
  CHECK(name_at(1000) == "none");
  const auto source_of = [](auto likelihood, math::SigmaSource source) {
    int got = -1;
    math::with_sigma_source(likelihood, source, [&](auto s) { got = static_cast<int>(decltype(s)::value); });
    return got;
  };
  for (int source = 0; source < 3; ++source) {
    CHECK(source_of(math::Gaussian{}, static_cast<math::SigmaSource>(source)) == source);
    CHECK(source_of(math::BernoulliLogits{}, static_cast<math::SigmaSource>(source)) == 0);
  }
}
