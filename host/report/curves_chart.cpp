#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "host/report/chart.hpp"
#include "host/report/chart_frame.hpp"
#include "host/report/markup.hpp"

namespace vaecuda {
namespace {

constexpr std::size_t kMostPoints = 400;  ///< per curve; about one per pixel of its width

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// Averages neighbours if there are more points than can be seen.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points) {
  if (points.size() <= kMostPoints) return points;
  std::vector<std::pair<double, double>> kept;
  for (std::size_t i = 0; i < kMostPoints; ++i) {
    const std::size_t first = i * points.size() / kMostPoints;
    const std::size_t end = (i + 1) * points.size() / kMostPoints;
    const auto count = static_cast<double>(end - first);
    double mean = 0.0;
    for (std::size_t j = first; j < end; ++j) mean += points[j].second / count;
    kept.emplace_back(points[end - 1].first, mean);
  }
  return kept;
}

/// Upper limit for the start of the curves: if a few first values were far above all others, the others would
/// be a flat line.
std::optional<double> cut_above(std::vector<double> values) {
  constexpr std::size_t kEnough = 8;
  if (values.size() < kEnough) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double low = values.front();
  const double usual = values[values.size() * 9 / 10];
  const double top = usual + 0.5 * (usual - low);
  if (values.back() - low <= 3.0 * (usual - low) || usual <= low || !std::isfinite(top)) return std::nullopt;
  return top;
}

std::string path_of(const ChartFrame& frame, const std::vector<std::pair<double, double>>& points) {
  std::string d;
  bool begins = true;
  for (const auto& [x, y] : points) {
    if (!std::isfinite(y)) {
      begins = true;
      continue;
    }
    d += fmt::format("{}{:.1f} {:.2f}", begins ? 'M' : 'L', frame.place_x(x), frame.place_y(y));
    begins = false;
  }
  return d;
}

}  // namespace

Curves curves_chart(const ChartText& text, const std::vector<Series>& series, bool from_zero) {
  std::vector<Series> shown = series;
  Range x;
  Range y;
  std::vector<double> values;
  for (Series& one : shown) {
    one.points = thinned(one.points);
    for (const auto& [at, value] : one.points) {
      x.add(at);
      if (!std::isfinite(value)) continue;
      y.add(value);
      values.push_back(value);
    }
  }
  Curves curves;
  if (from_zero) {
    y.add(0.0);
    if (y.high == 0.0) y.high = 1.0;  // only zeros
  } else if (const auto top = cut_above(values)) {
    curves.cut = true;
    y.high = *top;
  }
  ChartFrame frame;
  frame.x = make_axis(0.0, x.high, 5, false);
  // No fractional ticks for small counts.
  const bool counts = from_zero && y.high >= 1.0 && y.high < 4.0 &&
                      std::all_of(values.begin(), values.end(), [](double v) { return v == std::floor(v); });
  frame.y = make_axis(y.low, y.high, counts ? static_cast<int>(y.high) : 4, true);
  curves.svg = open_chart(
      frame, text, "curve",
      fmt::format(
          " tabindex=\"0\" data-x=\"{:.1f} {:.1f} {:.8g} {:.8g}\" data-y=\"{:.1f} {:.1f} {:.8g} {:.8g}\"",
          frame.left, frame.right, frame.x.low, frame.x.high, frame.bottom, frame.top, frame.y.low,
          frame.y.high));
  curves.svg += draw_axes(frame, text, true);
  const std::string clip = text.id + "-clip";
  curves.svg += fmt::format(
      "<clipPath id=\"{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/></clipPath>\n"
      "<g clip-path=\"url(#{})\">\n",
      clip, frame.left - 4.0, frame.top - 4.0, frame.right - frame.left + 8.0, frame.bottom - frame.top + 8.0,
      clip);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    // A curve of one point is drawn as a dot, because its line has no length.
    const bool marked = shown[i].marked || shown[i].points.size() == 1;
    curves.svg += fmt::format("<path class=\"line s{}\" data-name=\"{}\" d=\"{}\"/>\n", i,
                              escape_markup(shown[i].name), path_of(frame, shown[i].points));
    constexpr std::size_t kMostMarks = 60;
    if (!marked || shown[i].points.size() > kMostMarks) continue;
    std::string dots;
    for (const auto& [at, value] : shown[i].points) {
      if (std::isfinite(value))
        dots += fmt::format("M{:.1f} {:.2f}h0", frame.place_x(at), frame.place_y(value));
    }
    curves.svg += fmt::format("<path class=\"dots s{}\" d=\"{}\"/>\n", i, dots);
  }
  curves.svg += "</g></svg>";
  return curves;
}

}  // namespace vaecuda
