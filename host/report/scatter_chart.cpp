#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/report/chart.hpp"
#include "host/report/chart_frame.hpp"
#include "host/report/markup.hpp"

namespace vaecuda {
namespace {

struct Label {
  double x = 0.0;
  double y = 0.0;
  std::string name;
  std::size_t colour = 0;
};

std::array<double, 2> middle_of(const std::vector<std::array<double, 2>>& points) {
  std::array<double, 2> sum{};
  for (const auto& point : points) {
    sum[0] += point[0];
    sum[1] += point[1];
  }
  const auto count = static_cast<double>(points.size());
  return {sum[0] / count, sum[1] / count};
}

/// Moves names apart that would lie on each other, downwards from the highest.
void spread(std::vector<Label>& labels, double bottom) {
  constexpr double kLine = 15.0;
  constexpr double kLetter = 8.0;
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double wide =
          kLetter * static_cast<double>(std::max(labels[i].name.size(), labels[j].name.size()));
      if (std::abs(labels[i].x - labels[j].x) >= wide || labels[i].y - labels[j].y >= kLine) continue;
      labels[i].y = std::min(bottom, labels[j].y + kLine);
    }
  }
}

/// A name that does not fill the plot, cut between letters of UTF-8.
std::string short_name(const std::string& name) {
  constexpr std::size_t kMost = 14;
  if (name.size() <= kMost) return name;
  std::size_t end = kMost - 1;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end) + "…";
}

}  // namespace

std::string scatter_chart(const ChartText& text, const std::vector<PointGroup>& groups) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  std::array<double, 2> low{kInfinite, kInfinite};
  std::array<double, 2> high{-kInfinite, -kInfinite};
  for (const PointGroup& group : groups) {
    for (const auto& point : group.points) {
      for (std::size_t side = 0; side < 2; ++side) {
        low[side] = std::min(low[side], point[side]);
        high[side] = std::max(high[side], point[side]);
      }
    }
  }
  ChartFrame frame;
  frame.height = 300.0;
  frame.bottom = 262.0;
  frame.x = make_axis(low[0], high[0], 6, true);
  frame.y = make_axis(low[1], high[1], 5, true);
  std::string svg = open_chart(frame, text, "scatter");
  svg += draw_axes(frame, text, true);
  std::vector<Label> labels;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].points.empty()) continue;
    std::string d;
    for (const auto& point : groups[i].points) {
      d += fmt::format("M{:.1f} {:.1f}h0", frame.place_x(point[0]), frame.place_y(point[1]));
    }
    svg += fmt::format("<path class=\"points s{}\" d=\"{}\"/>\n", i % kSeriesColours, d);
    if (groups[i].name.empty()) continue;
    const auto middle = middle_of(groups[i].points);
    labels.push_back({frame.place_x(middle[0]), frame.place_y(middle[1]) + 4.0, short_name(groups[i].name),
                      i % kSeriesColours});
  }
  spread(labels, frame.bottom - 2.0);
  for (const Label& label : labels) {
    svg += fmt::format("<text class=\"group s{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", label.colour,
                       label.x, label.y, escape_markup(label.name));
  }
  return svg + "</svg>";
}

}  // namespace vaecuda
