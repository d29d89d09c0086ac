// Charts as inline SVG, without a script. Colours are classes (s0 … s9), for which the page's style defines a
// light and a dark colour, as for text and lines.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vaecuda {

/// Colours that are distinguishable, also for colour-blind readers.
constexpr std::size_t kSeriesColours = 10;

struct ChartText {
  std::string id;     ///< unique in the page, letters and dashes
  std::string label;  ///< text for screen readers
  std::string x;      ///< name of the horizontal axis
  std::string y;
};

/// A curve. Points that are not finite leave a gap.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< ascending x
  bool marked = false;                            ///< a dot at each point
};

struct Curves {
  std::string svg;
  /// Set if the first values are so far above the others that the axis omits them.
  bool cut = false;
};
/// `from_zero`: the value axis begins at 0.
[[nodiscard]] Curves curves_chart(const ChartText& text, const std::vector<Series>& series, bool from_zero);

struct Bar {
  std::string name;
  double value = 0.0;
  bool faint = false;
};
/// One bar per value, from 0, in the given order. Names are written if they fit. A negative value or NaN has
/// no bar.
[[nodiscard]] std::string bars_chart(const ChartText& text, const std::vector<Bar>& bars,
                                     const std::string& unit);

struct HeatRow {
  std::string name;            ///< written beside the row if it fits
  std::string title;           ///< shown under the pointer
  std::vector<double> values;  ///< one per column, 0 or more; no cell if not finite
};
/// A heat map in shades of one colour, stronger for larger values, the first row on top, with a scale.
/// `ends`: the end of each column on the horizontal axis, ascending; the first begins at 0. If there are more
/// columns than can be seen, neighbours are averaged. `least_top`, above 0: smallest upper end of the scale.
[[nodiscard]] std::string heat_chart(const ChartText& text, const std::vector<double>& ends,
                                     const std::vector<HeatRow>& rows, const std::string& unit,
                                     double least_top);

struct PointGroup {
  std::string name;  ///< written at the centre of the group; empty: none
  std::vector<std::array<double, 2>> points;
};
/// At most kSeriesColours groups, each in its own colour. Points that are not finite are left out.
[[nodiscard]] std::string scatter_chart(const ChartText& text, const std::vector<PointGroup>& groups);

}  // namespace vaecuda
