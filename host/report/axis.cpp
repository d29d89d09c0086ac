#include "host/report/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vaecuda {
namespace {

/// The least of 1, 2, 5 times a power of ten that is not below `width`.
double round_step(double width) {
  const double power = std::pow(10.0, std::floor(std::log10(width)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= width * (1.0 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
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

Axis make_axis(double low, double high, int intervals, bool widen) {
  if (!std::isfinite(low)) low = 0.0;
  if (!std::isfinite(high)) high = low + 1.0;
  if (high - low <= 1e-12 * std::max(std::abs(low), std::abs(high))) {
    const double margin = low == 0.0 ? 1.0 : 0.1 * std::abs(low);
    low -= margin;
    high += margin;
  }
  const double step = round_step((high - low) / intervals);
  Axis axis{low, high, {}, {}};
  if (widen) {
    axis.low = std::floor(low / step + 1e-9) * step;
    axis.high = std::ceil(high / step - 1e-9) * step;
  }
  const auto first = static_cast<long long>(std::ceil(axis.low / step - 1e-9));
  const auto last = static_cast<long long>(std::floor(axis.high / step + 1e-9));
  const double largest = std::max(std::abs(axis.low), std::abs(axis.high));
  for (long long i = first; i <= last; ++i) {
    axis.ticks.push_back(static_cast<double>(i) * step);
    axis.words.push_back(tick_words(axis.ticks.back(), step, largest));
  }
  return axis;
}

}  // namespace vaecuda
