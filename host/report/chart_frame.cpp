#include "host/report/chart_frame.hpp"

#include <fmt/format.h>

#include "host/report/markup.hpp"

namespace vaecuda {

std::string open_chart(const ChartFrame& frame, const ChartText& text, const std::string& classes,
                       const std::string& attributes) {
  return fmt::format(
      "<svg class=\"chart {}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"{} "
      "xmlns=\"http://www.w3.org/2000/svg\">\n",
      classes, frame.width, frame.height, escape_markup(text.label), attributes);
}

std::string draw_axes(const ChartFrame& frame, const ChartText& text, bool x_ticks) {
  std::string svg;
  for (std::size_t i = 0; i < frame.y.ticks.size(); ++i) {
    const double y = frame.place_y(frame.y.ticks[i]);
    svg += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", frame.left, y, frame.right);
    svg += fmt::format("<text class=\"tick end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", frame.left - 6.0,
                       y + 4.0, frame.y.words[i]);
  }
  if (x_ticks) {
    for (std::size_t i = 0; i < frame.x.ticks.size(); ++i) {
      const double x = frame.place_x(frame.x.ticks[i]);
      svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}v4\"/>", x, frame.bottom);
      svg += fmt::format("<text class=\"tick middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x,
                         frame.bottom + 16.0, frame.x.words[i]);
    }
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n", frame.left, frame.bottom,
                     frame.right);
  svg += fmt::format("<text class=\"name end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", frame.right,
                     frame.bottom + 32.0, escape_markup(text.x));
  svg += fmt::format("<text class=\"name\" x=\"2\" y=\"11\">{}</text>\n", escape_markup(text.y));
  return svg;
}

}  // namespace vaecuda
