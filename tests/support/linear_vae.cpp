#include "tests/support/linear_vae.hpp"

#include <cmath>
#include <random>

namespace vaecuda::test {
namespace {

constexpr int kColumns = LinearVae::kColumns;
constexpr double kTwoPi = 6.283185307179586;
constexpr double kSigma = 0.5;
constexpr double kLoading[kColumns] = {0.9, -0.6, 1.1};
constexpr double kOffset[kColumns] = {0.1, -0.2, 0.3};

double squared_loading() {
  double sum = 0.0;
  for (const double w : kLoading) sum += w * w;
  return sum;
}

/// |w|² + σ²: the variance of x along the loading.
double variance_along() {
  return squared_loading() + kSigma * kSigma;
}

/// w·(x − b)
double projection(std::span<const float> x) {
  double sum = 0.0;
  for (std::size_t c = 0; c < kColumns; ++c) sum += kLoading[c] * (static_cast<double>(x[c]) - kOffset[c]);
  return sum;
}

double squared_distance(std::span<const float> x, double z) {
  double sum = 0.0;
  for (std::size_t c = 0; c < kColumns; ++c) {
    const double d = static_cast<double>(x[c]) - kOffset[c] - kLoading[c] * z;
    sum += d * d;
  }
  return sum;
}

}  // namespace

ModelFile LinearVae::file() const {
  ModelFile file;
  file.model.input_dim = kColumns;
  file.model.hidden.clear();
  file.model.latent_dim = 1;
  file.model.likelihood = Likelihood::gaussian;
  file.model.sigma = kSigma;
  file.seed = 3;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.assign(static_cast<std::size_t>(layout.size), 0.0f);
  const auto set = [&](std::int64_t place, double value) {
    file.parameters[static_cast<std::size_t>(place)] = static_cast<float>(value);
  };
  double bias = shift_;
  for (int c = 0; c < kColumns; ++c) {
    set(layout.network("decoder").top.weight + c, kLoading[c]);
    set(layout.network("decoder").top.bias + c, kOffset[c]);
    set(layout.network("encoder").top.weight + c, kLoading[c] / variance_along());
    bias -= kLoading[c] * kOffset[c] / variance_along();
  }
  set(layout.network("encoder").top.bias, bias);
  set(layout.network("encoder").top.bias + 1, std::log(posterior_variance()));
  return file;
}

std::vector<float> LinearVae::draw_rows(std::int64_t rows, std::uint32_t seed) {
  std::mt19937 bits(seed);
  const auto normal = [&bits] {
    const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(bits()) + 0.5) / 4294967296.0));
    return radius * std::cos(kTwoPi * static_cast<double>(bits()) / 4294967296.0);
  };
  std::vector<float> values;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double z = normal();
    for (int c = 0; c < kColumns; ++c) {
      values.push_back(static_cast<float>(kLoading[c] * z + kOffset[c] + kSigma * normal()));
    }
  }
  return values;
}

double LinearVae::exact_nll(std::span<const float> x) {
  const double along = projection(x);
  const double noise = kSigma * kSigma;
  const double quadratic = (squared_distance(x, 0.0) - along * along / variance_along()) / noise;
  const double log_determinant = std::log(variance_along()) + (kColumns - 1) * std::log(noise);
  return 0.5 * (kColumns * std::log(kTwoPi) + log_determinant + quadratic);
}

double LinearVae::posterior_mean(std::span<const float> x) const {
  return projection(x) / variance_along() + shift_;
}

double LinearVae::posterior_variance() const {
  return widening_ * kSigma * kSigma / variance_along();
}

double LinearVae::kl(std::span<const float> x) const {
  const double mean = posterior_mean(x);
  const double variance = posterior_variance();
  return 0.5 * (mean * mean + variance - 1.0 - std::log(variance));
}

double LinearVae::reconstruction(std::span<const float> x) const {
  const double expected = squared_distance(x, posterior_mean(x)) + squared_loading() * posterior_variance();
  return 0.5 * (expected / (kSigma * kSigma) + kColumns * std::log(kTwoPi * kSigma * kSigma));
}

double LinearVae::squared_error(std::span<const float> x) const {
  return squared_distance(x, posterior_mean(x)) / kColumns;
}

}  // namespace vaecuda::test
