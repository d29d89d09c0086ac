// Activations, the Gaussian latent and the likelihoods at double precision: against central differences,
// against their definitions written another way, and against numerical integrals.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/math/activation.h"
#include "kernels/math/gaussian.h"
#include "kernels/math/kl_term.h"
#include "kernels/math/likelihood.h"
#include "kernels/math/penalty.h"
#include "support/catch.hpp"

namespace math = vaecuda::math;
using math::ActivationKind;

namespace {

constexpr double kPi = 3.14159265358979323846;
// Central differences with h = 1e-5 are off by h²/6·f''' ≈ 2e-11·f''' and by rounding, 1e-16/1e-5 = 1e-11
// times the size of f.
constexpr double kStep = 1e-5;
constexpr double kDifferenceTolerance = 1e-8;

template <typename F>
double slope(F f, double x) {
  return (f(x + kStep) - f(x - kStep)) / (2.0 * kStep);
}

// Simpson's rule; for an analytic function that vanishes at both ends it converges faster than any power.
template <typename F>
double integrate(F f, double low, double high, int intervals = 4000) {
  const double h = (high - low) / intervals;
  double sum = f(low) + f(high);
  for (int i = 1; i < intervals; ++i) sum += f(low + i * h) * (i % 2 == 1 ? 4.0 : 2.0);
  return sum * h / 3.0;
}

double normal_density(double x, double mean, double deviation) {
  const double r = (x - mean) / deviation;
  return std::exp(-0.5 * r * r) / (deviation * std::sqrt(2.0 * kPi));
}

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

double forward(ActivationKind kind, double a) {
  double h = 0.0;
  math::with_activation(kind, [&](auto f) { h = f.forward(a); });
  return h;
}

double derivative(ActivationKind kind, double a) {
  double d = 0.0;
  math::with_activation(
      kind, [&](auto f) { d = f.derivative(math::saves_preactivation(kind) ? a : f.forward(a)); });
  return d;
}

const std::vector<ActivationKind> kAllActivations = {
    ActivationKind::identity, ActivationKind::relu,      ActivationKind::tanh, ActivationKind::leaky_relu,
    ActivationKind::gelu,     ActivationKind::gelu_tanh, ActivationKind::silu};

// Off the kink of the piecewise linear ones.
const std::vector<double> kPoints = {-30.0, -9.5, -4.0, -2.0, -1.0, -0.3, -0.01,
                                     0.02,  0.5,  1.0,  1.7,  3.0,  8.0,  25.0};

}  // namespace

TEST_CASE("activations have the values that their definitions give", "[activation]") {
  for (const double a : kPoints) {
    INFO("a = " << a);
    CHECK(forward(ActivationKind::identity, a) == a);
    CHECK(forward(ActivationKind::relu, a) == std::fmax(a, 0.0));
    CHECK(forward(ActivationKind::leaky_relu, a) == Approx(a > 0.0 ? a : 0.01 * a).epsilon(1e-7));
    CHECK(forward(ActivationKind::tanh, a) == Approx(1.0 - 2.0 / (std::exp(2.0 * a) + 1.0)).epsilon(1e-12));
    // Φ by erfc keeps the left tail, where 1 + erf cancels: so the tolerance there is absolute.
    CHECK(forward(ActivationKind::gelu, a) ==
          Approx(a * 0.5 * std::erfc(-a / std::sqrt(2.0))).epsilon(1e-12).margin(1e-14));
    CHECK(forward(ActivationKind::silu, a) == Approx(a / (1.0 + std::exp(-a))).epsilon(1e-12));
    const double inner = std::sqrt(2.0 / kPi) * (a + 0.044715 * std::pow(a, 3.0));
    CHECK(forward(ActivationKind::gelu_tanh, a) ==
          Approx(a / (1.0 + std::exp(-2.0 * inner))).epsilon(1e-12).margin(1e-14));
  }
  // PyTorch's own numbers.
  CHECK(forward(ActivationKind::gelu, 1.0) == Approx(0.8413447460685429).epsilon(1e-14));
  CHECK(forward(ActivationKind::gelu_tanh, 1.0) == Approx(0.8411919906082768).epsilon(1e-14));
  CHECK(forward(ActivationKind::silu, 1.0) == Approx(0.7310585786300049).epsilon(1e-14));
  CHECK(forward(ActivationKind::tanh, -0.5) == Approx(-0.46211715726000973).epsilon(1e-14));
}

TEST_CASE("activations' derivatives are their slopes", "[activation]") {
  for (const ActivationKind kind : kAllActivations) {
    for (const double a : kPoints) {
      INFO("kind " << static_cast<int>(kind) << ", a = " << a);
      CHECK(derivative(kind, a) ==
            Approx(slope([&](double x) { return forward(kind, x); }, a)).margin(kDifferenceTolerance));
    }
  }
}

TEST_CASE("activations at the kink, at infinity and at NaN", "[activation]") {
  // PyTorch's choices at 0.
  CHECK(derivative(ActivationKind::relu, 0.0) == 0.0);
  CHECK(derivative(ActivationKind::leaky_relu, 0.0) == Approx(0.01).epsilon(1e-7));
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const ActivationKind kind : kAllActivations) {
    INFO("kind " << static_cast<int>(kind));
    math::with_activation(kind, [&](auto f) {
      CHECK(std::isnan(f.forward(kNan)));
      // No overflow to NaN on the way, in single precision: a·a·a of the tanh form passes 1e38.
      for (const float a : {1e4f, 1e13f, 3e38f}) {
        CHECK(f.forward(a) == Approx(kind == ActivationKind::tanh ? 1.0 : static_cast<double>(a)));
        CHECK(std::isfinite(f.forward(-a)));
      }
    });
  }
  CHECK(forward(ActivationKind::gelu, -40.0) == 0.0);
}

TEST_CASE("latent z, KL and log-ratio follow from their definitions", "[gaussian]") {
  for (const double mu : {-3.0, -0.4, 0.0, 1.3}) {
    for (const double logvar : {-8.0, -1.0, 0.0, 0.7, 3.0}) {
      INFO("mu = " << mu << ", logvar = " << logvar);
      const double sigma = std::sqrt(std::exp(logvar));
      const auto value = math::latent_forward(mu, logvar, 0.8);
      CHECK(value.z == Approx(mu + 0.8 * sigma).epsilon(1e-13));
      const double kl = integrate(
          [&](double x) {
            const double q = normal_density(x, mu, sigma);
            const double log_ratio = -0.5 * std::pow((x - mu) / sigma, 2.0) - std::log(sigma) + 0.5 * x * x;
            return q * log_ratio;
          },
          mu - 12.0 * sigma, mu + 12.0 * sigma);
      CHECK(value.kl == Approx(kl).epsilon(1e-9).margin(1e-12));
      CHECK(value.kl >= 0.0);
      const double log_ratio =
          std::log(normal_density(value.z, mu, sigma)) - std::log(normal_density(value.z, 0.0, 1.0));
      CHECK(value.log_ratio == Approx(log_ratio).epsilon(1e-11).margin(1e-11));
      // A head that holds log σ gives the same.
      const auto same = math::latent_forward(mu, 0.5 * logvar, 0.8, 2.0);
      CHECK(same.z == value.z);
      CHECK(same.kl == value.kl);
      CHECK(same.log_ratio == value.log_ratio);
    }
  }
  CHECK(math::latent_forward(0.0, 0.0, 2.0).kl == 0.0);
  CHECK(math::logvar_factor(math::ScaleHead::logvar) == 1.0f);
  CHECK(math::logvar_factor(math::ScaleHead::logsigma) == 2.0f);
}

TEST_CASE("latent gradients are slopes inside the clamp", "[gaussian]") {
  const std::vector<double> epsilons = {-0.9, 0.3, 1.7};
  for (const double factor : {1.0, 2.0}) {
    for (const double weight : {0.0, 0.25, 1.0, 4.0}) {
      for (const double mu : {-2.0, 0.1, 1.5}) {
        for (const double logvar : {-20.0, -3.0, 0.0, 0.6, 4.0}) {
          const double scale = logvar / factor;
          INFO("factor = " << factor << ", weight = " << weight << ", mu = " << mu
                           << ", logvar = " << logvar);
          const auto value_of = [&](double m, double s, double epsilon) {
            return math::latent_forward(m, s, epsilon, factor);
          };
          const auto loss = [&](double m, double s) {
            double sum = weight * value_of(m, s, 0.0).kl;
            for (const double epsilon : epsilons) sum += std::sin(value_of(m, s, epsilon).z);
            return sum;
          };
          const auto q = math::latent_posterior(mu, scale, factor);
          math::LatentSum<double> sum;
          for (const double epsilon : epsilons)
            math::add_latent_sample(sum, q, epsilon, std::cos(value_of(mu, scale, epsilon).z));
          const auto gradient = math::latent_gradient(sum, q, weight, factor);
          // e^4 makes third derivatives of about 1e3 here, 2³ times that for log σ.
          const double margin = factor == 1.0 ? 1e-7 : 1e-6;
          CHECK(gradient.dmu == Approx(slope([&](double m) { return loss(m, scale); }, mu)).margin(margin));
          CHECK(gradient.dscale ==
                Approx(slope([&](double s) { return loss(mu, s); }, scale)).margin(margin));
        }
      }
    }
  }
}

TEST_CASE("the gradient of weighted samples is that of their log-ratios", "[gaussian]") {
  const std::vector<double> epsilons = {-0.9, 0.3, 1.7};
  const std::vector<double> weights = {0.2, 0.7, 0.1};
  for (const double mu : {-2.0, 0.1, 1.5}) {
    for (const double logvar : {-6.0, 0.0, 2.0}) {
      INFO("mu = " << mu << ", logvar = " << logvar);
      const auto loss = [&](double m, double l) {
        double sum = 0.0;
        for (std::size_t k = 0; k < epsilons.size(); ++k) {
          const auto value = math::latent_forward(m, l, epsilons[k]);
          sum += std::sin(value.z) + weights[k] * value.log_ratio;
        }
        return sum;
      };
      const auto q = math::latent_posterior(mu, logvar, 1.0);
      math::LatentSum<double> sum;
      for (std::size_t k = 0; k < epsilons.size(); ++k) {
        const double dz = std::cos(math::latent_forward(mu, logvar, epsilons[k]).z);
        math::add_weighted_latent_sample(sum, q, epsilons[k], dz, weights[k]);
      }
      const auto gradient = math::latent_gradient(sum, q, 0.0, 1.0);
      CHECK(gradient.dmu == Approx(slope([&](double m) { return loss(m, logvar); }, mu)).margin(1e-7));
      CHECK(gradient.dscale == Approx(slope([&](double l) { return loss(mu, l); }, logvar)).margin(1e-7));
    }
  }
}

namespace {

/// One sample's gradient.
math::LatentGradient<double> gradient_of(double mu, double raw, double epsilon, double dz, double kl_weight,
                                         double factor = 1.0) {
  const auto q = math::latent_posterior(mu, raw, factor);
  math::LatentSum<double> sum;
  math::add_latent_sample(sum, q, epsilon, dz);
  return math::latent_gradient(sum, q, kl_weight, factor);
}

}  // namespace

TEST_CASE("a saturated logvar is clamped and pulled back", "[gaussian]") {
  CHECK(math::clamp_logvar(-31.0) == -30.0);
  CHECK(math::clamp_logvar(-30.0) == -30.0);
  CHECK(math::clamp_logvar(20.0) == 20.0);
  CHECK(math::clamp_logvar(20.5) == 20.0);
  CHECK(math::clamp_logvar(3.25) == 3.25);
  CHECK(math::clamp_logvar(std::numeric_limits<float>::infinity()) == 20.0f);
  CHECK(math::clamp_logvar(-std::numeric_limits<float>::infinity()) == -30.0f);
  CHECK(std::isnan(math::clamp_logvar(std::numeric_limits<float>::quiet_NaN())));
  for (const double outside : {-1000.0, -30.5, 20.5, 1e6}) {
    INFO("logvar = " << outside);
    const double clamped = outside < 0.0 ? -30.0 : 20.0;
    CHECK(math::latent_forward(0.5, outside, 1.1).z == Approx(0.5 + std::exp(0.5 * clamped) * 1.1));
    CHECK(math::latent_forward(0.5, outside, 1.1).kl ==
          Approx(0.5 * (0.25 + std::exp(clamped) - 1.0 - clamped)));
    const auto gradient = gradient_of(0.5, outside, 1.1, 7.0, 2.0);
    CHECK(gradient.dmu == Approx(7.0 + 2.0 * 0.5));
    // The reconstruction's part is gone, the KL's stays and points back inside.
    CHECK(gradient.dscale == Approx(0.5 * 2.0 * (std::exp(clamped) - 1.0)));
    CHECK((gradient.dscale > 0.0) == (outside > 0.0));
    // The clamp is one of log σ², whatever the head holds.
    CHECK(math::latent_forward(0.5, 0.5 * outside, 1.1, 2.0).z == math::latent_forward(0.5, outside, 1.1).z);
    CHECK(gradient_of(0.5, 0.5 * outside, 1.1, 7.0, 2.0, 2.0).dscale == Approx(2.0 * gradient.dscale));
    // The sampled log-ratio pulls back as the KL does: its mean over ε is the KL's gradient.
    const auto q = math::latent_posterior(0.0, outside, 1.0);
    math::LatentSum<double> sum;
    for (const double epsilon : {-1.0, 1.0}) math::add_weighted_latent_sample(sum, q, epsilon, 0.0, 0.5);
    CHECK(sum.dlogvar == Approx(0.5 * (std::exp(clamped) - 1.0)));
  }
  // On the edge itself both parts flow.
  CHECK(gradient_of(0.0, 20.0, 1.0, 3.0, 0.0).dscale == Approx(1.5 * std::exp(10.0)));
}

TEST_CASE("the penalty of a code is its mean square", "[penalty]") {
  const std::vector<double> code = {-3.0, 0.0, 0.25, 7.5};
  double mean_square = 0.0;
  for (const double z : code) {
    const math::PenaltyValue<double> value = math::code_penalty(z, 0.25);
    mean_square += value.penalty;
    CHECK(std::fabs(value.gradient - slope([](double v) { return math::code_penalty(v, 0.25).penalty; },
                                           z)) <= kDifferenceTolerance);
  }
  CHECK(mean_square == Approx((9.0 + 0.0625 + 56.25) / 4.0).epsilon(1e-15));
}

TEST_CASE("Bernoulli NLL is the cross entropy", "[likelihood]") {
  const auto likelihood = [](auto l, auto x) { return bernoulli(l, x); };
  for (const double l : {-30.0, -8.0, -1.0, -1e-3, 0.0, 0.4, 2.0, 12.0, 30.0}) {
    for (const double x : {0.0, 1.0, 0.25, 0.731}) {
      INFO("l = " << l << ", x = " << x);
      const long double p = 1.0L / (1.0L + std::exp(-static_cast<long double>(l)));
      const long double rest = 1.0L / (1.0L + std::exp(static_cast<long double>(l)));  // 1 − p
      const auto nll =
          static_cast<double>(-static_cast<long double>(x) * std::log(p) - (1.0L - x) * std::log(rest));
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
      // Of one, with mean m and deviation sigma; from the mean on, where a density may have a kink.
      const auto moment = [&](int power) {
        const auto term = [&](double x) {
          return std::pow(x - m, power) * std::exp(-likelihood(m, x, sigma).nll);
        };
        return integrate(term, m - 30.0 * deviation, m) + integrate(term, m, m + 30.0 * deviation);
      };
      CHECK(moment(0) == Approx(1.0).epsilon(1e-7));
      CHECK(moment(1) == Approx(0.0).margin(1e-9));
      CHECK(moment(2) == Approx(deviation * deviation).epsilon(1e-7));
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
  CHECK(name_at(2) == "laplace");
  CHECK(name_at(3) == "none");
  CHECK(math::kLikelihoodKind<math::Laplace> == math::LikelihoodKind(2));
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

TEST_CASE("what stands in the KL's place, and its slope", "[gaussian]") {
  CHECK(math::free_bits_term(0.3, 0.5).value == 0.5);
  CHECK(math::free_bits_term(0.3, 0.5).slope == 0.0);
  CHECK(math::free_bits_term(0.7, 0.5).value == 0.7);
  CHECK(math::free_bits_term(0.7, 0.5).slope == 1.0);
  CHECK(math::free_bits_term(0.5, 0.5).value == 0.5);
  CHECK(math::capacity_term(7.0, 5.0).value == 2.0);
  CHECK(math::capacity_term(7.0, 5.0).slope == 1.0);
  CHECK(math::capacity_term(4.0, 5.0).value == 1.0);
  CHECK(math::capacity_term(4.0, 5.0).slope == -1.0);
  CHECK(math::capacity_term(5.0, 5.0).value == 0.0);
  CHECK(math::capacity_term(5.0, 5.0).slope == 0.0);
  CHECK(std::isnan(math::capacity_term(std::numeric_limits<double>::quiet_NaN(), 5.0).value));
}
