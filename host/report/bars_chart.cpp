#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/report/chart.hpp"
#include "host/report/chart_frame.hpp"
#include "host/report/markup.hpp"

namespace vaecuda {

std::string bars_chart(const ChartText& text, const std::vector<Bar>& bars, const std::string& unit) {
  double highest = 0.0;
  std::size_t longest = 1;
  for (const Bar& bar : bars) {
    if (std::isfinite(bar.value)) highest = std::max(highest, bar.value);
    longest = std::max(longest, bar.name.size());
  }
  constexpr double kLeastTop = 1e-300;  // with a smaller top, the axis would not begin at 0
  ChartFrame frame;
  frame.height = 300.0;
  frame.bottom = 262.0;
  const auto count = static_cast<double>(std::max<std::size_t>(1, bars.size()));
  frame.y = make_axis(0.0, highest < kLeastTop ? 1.0 : highest, 4, true);
  frame.x = Axis{0.0, count, {}, {}};
  std::string svg = open_chart(frame, text, "bars");
  svg += draw_axes(frame, text, false);
  const double slot = (frame.right - frame.left) / count;
  constexpr double kDigit = 6.6;  // width of a character of a tick label
  const auto every = static_cast<std::size_t>(1.0 + (static_cast<double>(longest) * kDigit + 3.0) / slot);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double x = frame.place_x(static_cast<double>(i));
    const double y = std::clamp(frame.place_y(bars[i].value), frame.top, frame.bottom);
    svg += fmt::format(
        "<rect class=\"bar{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\">"
        "<title>{}: {} {}</title></rect>\n",
        bars[i].faint ? " faint" : "", x + 0.12 * slot, y, 0.76 * slot, std::max(0.5, frame.bottom - y),
        escape_markup(bars[i].name), number_words(bars[i].value, 3), escape_markup(unit));
    if (i % every == 0) {
      svg += fmt::format("<text class=\"tick middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 0.5 * slot,
                         frame.bottom + 15.0, escape_markup(bars[i].name));
    }
  }
  return svg + "</svg>";
}

}  // namespace vaecuda
