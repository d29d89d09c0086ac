// Slopes and integrals by numbers, for functions of one variable in double precision.
#pragma once

#include <cmath>

namespace vaecuda::test {

inline constexpr double kPi = 3.14159265358979323846;
// Central differences with h = 1e-5 are off by h²/6·f''' ≈ 2e-11·f''' and by rounding, 1e-16/1e-5 = 1e-11
// times the size of f.
inline constexpr double kStep = 1e-5;
inline constexpr double kDifferenceTolerance = 1e-8;

template <typename F>
[[nodiscard]] double slope(F f, double x) {
  return (f(x + kStep) - f(x - kStep)) / (2.0 * kStep);
}

// Simpson's rule; for an analytic function that vanishes at both ends it converges faster than any power.
template <typename F>
[[nodiscard]] double integrate(F f, double low, double high, int intervals = 4000) {
  const double h = (high - low) / intervals;
  double sum = f(low) + f(high);
  for (int i = 1; i < intervals; ++i) sum += f(low + i * h) * (i % 2 == 1 ? 4.0 : 2.0);
  return sum * h / 3.0;
}

[[nodiscard]] inline double normal_density(double x, double mean, double deviation) {
  const double r = (x - mean) / deviation;
  return std::exp(-0.5 * r * r) / (deviation * std::sqrt(2.0 * kPi));
}

}  // namespace vaecuda::test
