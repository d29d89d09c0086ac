// Common parts of charts: the plot area, its grid and its axes.
#pragma once

#include <string>

#include "host/report/axis.hpp"
#include "host/report/chart.hpp"

namespace vaecuda {

/// A plot in SVG units, which the page shows as CSS pixels, so that text has the same size in all charts:
/// `width` is that of the narrowest card.
struct ChartFrame {
  double width = 320.0;
  double height = 232.0;
  double left = 46.0;
  double right = 306.0;
  double top = 20.0;
  double bottom = 194.0;
  Axis x;
  Axis y;

  [[nodiscard]] double place_x(double value) const { return left + x.share(value) * (right - left); }
  [[nodiscard]] double place_y(double value) const { return bottom - y.share(value) * (bottom - top); }
};

/// The opening tag; `attributes` are added to it.
[[nodiscard]] std::string open_chart(const ChartFrame& frame, const ChartText& text,
                                     const std::string& classes, const std::string& attributes = "");
/// Grid lines, tick labels, names of the axes. `x_ticks`: also those of the horizontal axis.
[[nodiscard]] std::string draw_axes(const ChartFrame& frame, const ChartText& text, bool x_ticks);

}  // namespace vaecuda
