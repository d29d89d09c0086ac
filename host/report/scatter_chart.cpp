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

using Points = std::vector<std::array<double, 2>>;

/// The points that can be drawn.
Points finite_of(const Points& points) {
  Points kept;
  for (const auto& point : points) {
    if (std::isfinite(point[0]) && std::isfinite(point[1])) kept.push_back(point);
  }
  return kept;
}

std::array<double, 2> middle_of(const Points& points) {
  std::array<double, 2> middle{};
  const auto count = static_cast<double>(points.size());
  for (const auto& point : points) {
    middle[0] += point[0] / count;
    middle[1] += point[1] / count;
  }
  return middle;
}

constexpr double kLine = 14.0;    // height of a name including its margin
constexpr double kLetter = 7.4;   // maximum width of one of its characters
constexpr double kCapital = 9.0;  // from its baseline to its top

double half_width(const Label& label) {
  return 0.5 * kLetter * static_cast<double>(label.name.size()) + 2.0;
}

bool overlap(const Label& a, const Label& b) {
  return std::abs(a.x - b.x) < half_width(a) + half_width(b) && std::abs(a.y - b.y) < kLine;
}

/// Puts each name at the centre of its group, or as near to it as possible without overlapping another name:
/// places are tried in rings around the centre. If the plot is full, the centre is used.
void spread(std::vector<Label>& labels, const ChartFrame& frame) {
  constexpr int kRings = 24;
  constexpr int kPlaces = 24;
  constexpr double kTurn = 6.283185307179586;
  const auto is_free = [&](const Label& label, std::size_t placed) {
    const double side = half_width(label);
    if (label.x - side < frame.left || label.x + side > frame.right) return false;
    if (label.y - kCapital < frame.top || label.y > frame.bottom - 2.0) return false;
    return std::none_of(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(placed),
                        [&](const Label& other) { return overlap(label, other); });
  };
  for (std::size_t i = 0; i < labels.size(); ++i) {
    bool found = false;
    for (int ring = 0; ring < kRings && !found; ++ring) {
      for (int place = 0; place < (ring == 0 ? 1 : kPlaces) && !found; ++place) {
        const double angle = kTurn * place / kPlaces;
        Label tried = labels[i];
        tried.x += 0.75 * kLine * ring * std::cos(angle);
        tried.y += 0.5 * kLine * ring * std::sin(angle);
        found = is_free(tried, i);
        if (found) labels[i] = tried;
      }
    }
  }
}

/// A name that fits the plot, truncated between UTF-8 characters.
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
  std::vector<Points> drawn;
  for (const PointGroup& group : groups) {
    drawn.push_back(finite_of(group.points));
    for (const auto& point : drawn.back()) {
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
    if (drawn[i].empty()) continue;
    std::string d;
    for (const auto& point : drawn[i]) {
      d += fmt::format("M{:.1f} {:.1f}h0", frame.place_x(point[0]), frame.place_y(point[1]));
    }
    svg += fmt::format("<path class=\"points s{}\" d=\"{}\"/>\n", i % kSeriesColours, d);
    if (groups[i].name.empty()) continue;
    const auto middle = middle_of(drawn[i]);
    labels.push_back({frame.place_x(middle[0]), frame.place_y(middle[1]) + 4.0, short_name(groups[i].name),
                      i % kSeriesColours});
  }
  spread(labels, frame);
  for (const Label& label : labels) {
    svg += fmt::format("<text class=\"group s{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", label.colour,
                       label.x, label.y, escape_markup(label.name));
  }
  return svg + "</svg>";
}

}  // namespace vaecuda
