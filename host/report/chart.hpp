// Charts as inline SVG, drawn without a script. Colours are classes (s0 … s9) that the page's style gives a
// colour for light and dark; text and lines take theirs from it too.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vaecuda {

/// Colours that a reader, colour-blind or not, can tell apart.
constexpr std::size_t kSeriesColours = 10;

struct ChartText {
  std::string id;     ///< unique in the page, letters and dashes
  std::string label;  ///< what a person hears who does not see the chart
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
  /// Set where the first values lie so far above the others that the axis leaves them out.
  bool cut = false;
};
/// `from_zero`: the axis of values begins at 0.
[[nodiscard]] Curves curves_chart(const ChartText& text, const std::vector<Series>& series, bool from_zero);

struct Bar {
  std::string name;
  double value = 0.0;
  bool faint = false;
};
/// One bar for each, from 0, in the order given. Names are written where they fit. One that is below 0 or no
/// number has no length.
[[nodiscard]] std::string bars_chart(const ChartText& text, const std::vector<Bar>& bars,
                                     const std::string& unit);

struct HeatRow {
  std::string name;            ///< written beside the row where it fits
  std::string title;           ///< shown under the pointer
  std::vector<double> values;  ///< one per column, 0 or more; what is not finite has no cell
};
/// Rows of cells in one colour, the stronger the greater the value, the first row on top, with a scale.
/// `ends`: where each column ends on the horizontal axis, ascending; the first begins at 0. Where there are
/// more columns than can be seen, neighbours are averaged. `least_top`, above 0: the scale reaches as far.
[[nodiscard]] std::string heat_chart(const ChartText& text, const std::vector<double>& ends,
                                     const std::vector<HeatRow>& rows, const std::string& unit,
                                     double least_top);

struct PointGroup {
  std::string name;  ///< written at the middle of the group; empty: nothing
  std::vector<std::array<double, 2>> points;
};
/// At most kSeriesColours groups, each in a colour of its own. Points that are not finite are left out.
[[nodiscard]] std::string scatter_chart(const ChartText& text, const std::vector<PointGroup>& groups);

}  // namespace vaecuda
