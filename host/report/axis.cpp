#include "host/report/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace vaecuda {
namespace {

constexpr double kMost = std::numeric_limits<double>::max();
/// Widths are compared and divided after scaling by this factor, so that they do not overflow double.
constexpr double kPart = 0.25;

double in_doubles(double value) {
  return std::clamp(value, -kMost, kMost);
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `width`.
double round_step(double width) {
  const double power = std::pow(10.0, std::floor(std::log10(width)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= width * (1.0 - 1e-9)) return in_doubles(factor * power);
  }
  return in_doubles(10.0 * power);
}

std::string tick_words(double value, double step, double largest) {
  if (largest < 1e-4 || largest >= 1e9) return value == 0.0 ? "0" : fmt::format("{:.3g}", value);
  double unit = 1.0;
  std::string_view suffix;
  if (largest >= 1e6) {
    unit = 1e6;
    suffix = "M";
  } else if (largest >= 1e4) {
    unit = 1e3;
    suffix = "k";
  }
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9)), 0, 6);
  if (value == 0.0) return "0";
  return fmt::format("{:.{}f}{}", value / unit, decimals, suffix);
}

}  // namespace

double Axis::share(double value) const {
  if (std::isnan(value)) return 0.0;
  const double from_low = kPart * in_doubles(value) - kPart * low;
  return std::clamp(from_low / (kPart * high - kPart * low), -kFar, 1.0 + kFar);
}

Axis make_axis(double low, double high, int intervals, bool widen) {
  constexpr double kNarrowest = 1e-300;  // smaller steps and their powers of ten lose all digits
  if (!std::isfinite(low)) low = 0.0;
  if (!std::isfinite(high)) high = in_doubles(low + 1.0);
  const double largest_end = std::max(std::abs(low), std::abs(high));
  if (kPart * high - kPart * low <= kPart * std::max(kNarrowest, 1e-12 * largest_end)) {
    const double margin = largest_end < kNarrowest ? 1.0 : 0.1 * largest_end;
    low = in_doubles(std::min(low, high) - margin);
    high = in_doubles(high + margin);
  }
  const double step = round_step(in_doubles(high / intervals - low / intervals));
  Axis axis{low, high, {}, {}};
  if (widen) {
    axis.low = std::min(low, in_doubles(std::floor(low / step + 1e-9) * step));
    axis.high = std::max(high, in_doubles(std::ceil(high / step - 1e-9) * step));
  }
  const auto first = static_cast<long long>(std::ceil(axis.low / step - 1e-9));
  const auto last = static_cast<long long>(std::floor(axis.high / step + 1e-9));
  const double largest = std::max(std::abs(axis.low), std::abs(axis.high));
  for (long long i = first; i <= last; ++i) {
    axis.ticks.push_back(in_doubles(static_cast<double>(i) * step));
    axis.words.push_back(tick_words(axis.ticks.back(), step, largest));
  }
  if (axis.ticks.empty()) {
    axis.ticks.push_back(axis.low);
    axis.words.push_back(tick_words(axis.low, step, largest));
  }
  return axis;
}

}  // namespace vaecuda
