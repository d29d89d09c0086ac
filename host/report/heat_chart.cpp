#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "host/report/chart.hpp"
#include "host/report/chart_frame.hpp"
#include "host/report/markup.hpp"

namespace vaecuda {
namespace {

constexpr std::size_t kMostColumns = 120;  // of about three pixels each
constexpr std::size_t kShades = 16;        // besides none

double opacity_of(std::size_t shade) {
  return static_cast<double>(shade) / static_cast<double>(kShades);
}

/// Neighbouring columns that are drawn as one, with the mean of the known values.
struct Column {
  std::size_t first = 0;
  std::size_t end = 0;

  [[nodiscard]] double mean_of(const std::vector<double>& values) const {
    double mean = 0.0;  // updated value by value, because the sum of finite values may overflow
    double count = 0.0;
    for (std::size_t i = first; i < std::min(end, values.size()); ++i) {
      if (!std::isfinite(values[i])) continue;
      count += 1.0;
      mean += values[i] / count - mean / count;
    }
    return mean;
  }
};

std::vector<Column> columns_of(std::size_t count) {
  const std::size_t drawn = std::min(count, kMostColumns);
  std::vector<Column> columns;
  for (std::size_t i = 0; i < drawn; ++i) columns.push_back({i * count / drawn, (i + 1) * count / drawn});
  return columns;
}

/// A strip of all shades, labelled with the values of the first and the last.
std::string draw_scale(const ChartFrame& frame, const Axis& axis, const std::string& unit) {
  constexpr double kCell = 7.0;
  constexpr double kHigh = 9.0;
  constexpr double kWords = 62.0;
  const double right = frame.right - kWords;
  const double left = right - kCell * static_cast<double>(kShades + 1);
  std::string svg = fmt::format(
      "<text class=\"tick end\" x=\"{:.1f}\" y=\"11\">0</text>"
      "<text class=\"tick\" x=\"{:.1f}\" y=\"11\">{} {}</text>\n",
      left - 5.0, right + 5.0, axis.words.back(), escape_markup(unit));
  for (std::size_t shade = 1; shade <= kShades; ++shade) {
    svg += fmt::format(
        "<rect class=\"heat\" fill-opacity=\"{:.3g}\" x=\"{:.1f}\" y=\"2.5\" width=\"{:.1f}\" "
        "height=\"{:.1f}\"/>",
        opacity_of(shade), left + kCell * static_cast<double>(shade), kCell, kHigh);
  }
  return svg + fmt::format("<path class=\"frame\" d=\"M{:.1f} 2.5H{:.1f}v{:.1f}H{:.1f}z\"/>\n", left, right,
                           kHigh, left);
}

/// The outlines of the cells of each shade, collected row by row; neighbours of the same shade form one cell.
class Cells {
 public:
  Cells(const ChartFrame& frame, const Axis& scale, const std::vector<double>& ends)
      : frame_(frame), scale_(scale), ends_(ends), columns_(columns_of(ends.size())) {}

  void add_row(const std::vector<double>& values, double top, double height) {
    for (std::size_t j = 0; j < columns_.size();) {
      const Column& first = columns_[j];
      const std::size_t shade = shade_of(first.mean_of(values));
      while (j < columns_.size() && shade_of(columns_[j].mean_of(values)) == shade) ++j;
      if (shade == 0) continue;
      const double from = first.first == 0 ? 0.0 : ends_[first.first - 1];
      outlines_[shade] += fmt::format("M{0:.1f} {1:.2f}H{2:.1f}v{3:.2f}H{0:.1f}z", frame_.place_x(from), top,
                                      frame_.place_x(ends_[columns_[j - 1].end - 1]), height);
    }
  }

  [[nodiscard]] std::string draw() const {
    std::string svg;
    for (std::size_t shade = 1; shade <= kShades; ++shade) {
      if (outlines_[shade].empty()) continue;
      svg += fmt::format("<path class=\"heat\" fill-opacity=\"{:.3g}\" d=\"{}\"/>\n", opacity_of(shade),
                         outlines_[shade]);
    }
    return svg;
  }

 private:
  [[nodiscard]] std::size_t shade_of(double value) const {
    const double share = std::clamp(scale_.share(value), 0.0, 1.0);
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(kShades)));
  }

  const ChartFrame& frame_;
  const Axis& scale_;
  const std::vector<double>& ends_;
  std::vector<Column> columns_;
  std::array<std::string, kShades + 1> outlines_;
};

double greatest_of(const std::vector<HeatRow>& rows, std::size_t values) {
  double greatest = 0.0;
  for (const HeatRow& row : rows) {
    for (const Column& column : columns_of(values)) greatest = std::max(greatest, column.mean_of(row.values));
  }
  return greatest;
}

}  // namespace

std::string heat_chart(const ChartText& text, const std::vector<double>& ends,
                       const std::vector<HeatRow>& rows, const std::string& unit, double least_top) {
  const Axis scale = make_axis(0.0, std::max(greatest_of(rows, ends.size()), least_top), 4, true);
  const auto count = static_cast<double>(std::max<std::size_t>(1, rows.size()));
  ChartFrame frame;
  constexpr double kLeastRow = 3.5;
  const double bottom = frame.bottom;
  frame.top = 26.0;
  frame.bottom = frame.top + std::max(bottom - frame.top, kLeastRow * count);
  frame.height += frame.bottom - bottom;
  frame.x = make_axis(0.0, ends.empty() ? 1.0 : ends.back(), 5, false);
  const double row_high = (frame.bottom - frame.top) / count;

  Cells cells(frame, scale, ends);
  std::string names;
  std::string titles;
  constexpr double kLine = 13.0;  // height of a name
  const auto every = static_cast<std::size_t>(std::ceil(kLine / row_high));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = frame.top + row_high * static_cast<double>(i);
    cells.add_row(rows[i].values, y, row_high);
    titles += fmt::format(
        "<rect class=\"hit\" x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\">"
        "<title>{}</title></rect>\n",
        frame.left, y, frame.right - frame.left, row_high, escape_markup(rows[i].title));
    if (i % every == 0) {
      names += fmt::format("<text class=\"tick end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", frame.left - 6.0,
                           y + 0.5 * row_high + 4.0, escape_markup(rows[i].name));
    }
  }
  const std::string border =
      fmt::format("<path class=\"frame\" d=\"M{0:.1f} {1:.1f}H{2:.1f}V{3:.1f}H{0:.1f}z\"/>\n", frame.left,
                  frame.top, frame.right, frame.bottom);
  return open_chart(frame, text, "heats") + draw_axes(frame, text, true) + names + cells.draw() + border +
         draw_scale(frame, scale, unit) + titles + "</svg>";
}

}  // namespace vaecuda
