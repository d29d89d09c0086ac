// Activations and the Gaussian latent at double precision: against central differences,
// against their definitions written another way, and against numerical integrals.
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/math/activation.h"
#include "kernels/math/gaussian.h"
#include "kernels/math/kl_term.h"
#include "kernels/math/penalty.h"
#include "support/calculus.hpp"
#include "support/catch.hpp"

namespace math = vaecuda::math;
using math::ActivationKind;
using vaecuda::test::integrate;
using vaecuda::test::kDifferenceTolerance;
using vaecuda::test::kPi;
using vaecuda::test::normal_density;
using vaecuda::test::slope;

namespace {

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
