#include "host/report/line_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vaecuda {
namespace {

constexpr std::int64_t kMargin = 3;
constexpr std::uint8_t kPaper = 255;
constexpr std::uint8_t kZeroLine = 208;
constexpr std::uint8_t kInk = 32;

class Plot {
 public:
  Plot(double low, double high)
      : low_(low),
        high_(high),
        image_{kPlotHeight, kPlotWidth, 1, std::vector<std::uint8_t>(kPlotHeight * kPlotWidth, kPaper)} {}

  void draw_zero_line() {
    if (low_ > 0.0 || high_ < 0.0 || low_ == high_) return;
    for (std::int64_t x = kMargin; x < kPlotWidth - kMargin; ++x)
      set(static_cast<double>(x), y_of(0.0), kZeroLine);
  }

  void draw_point(double x, float value) { set(x, y_of(static_cast<double>(value)), kInk); }

  // A continuous line: where it is steep, each column of pixels draws its part of the vertical distance.
  void draw_line(double x0, float value0, double x1, float value1) {
    const double y0 = y_of(static_cast<double>(value0));
    const double y1 = y_of(static_cast<double>(value1));
    const auto steps = static_cast<std::int64_t>(std::ceil(std::max({x1 - x0, std::abs(y1 - y0), 1.0})));
    for (std::int64_t step = 0; step <= steps; ++step) {
      const double t = static_cast<double>(step) / static_cast<double>(steps);
      set(x0 + t * (x1 - x0), y0 + t * (y1 - y0), kInk);
    }
  }

  [[nodiscard]] Image take() { return std::move(image_); }

 private:
  [[nodiscard]] double y_of(double value) const {
    constexpr double kSpan = kPlotHeight - 1 - 2 * kMargin;
    const double share = low_ < high_ ? (std::clamp(value, low_, high_) - low_) / (high_ - low_) : 0.5;
    return kMargin + (1.0 - share) * kSpan;
  }

  void set(double x, double y, std::uint8_t grey) {
    image_.pixels[static_cast<std::size_t>(std::lround(y) * kPlotWidth + std::lround(x))] = grey;
  }

  double low_;
  double high_;
  Image image_;
};

}  // namespace

Image line_plot(std::span<const float> values, float low, float high) {
  Plot plot(static_cast<double>(low), static_cast<double>(high));
  plot.draw_zero_line();
  const double width = kPlotWidth - 1 - 2 * kMargin;
  const double stride = values.size() > 1 ? width / static_cast<double>(values.size() - 1) : 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const double x = kMargin + (values.size() > 1 ? static_cast<double>(i) * stride : width / 2);
    plot.draw_point(x, values[i]);
    if (i > 0 && std::isfinite(values[i - 1])) plot.draw_line(x - stride, values[i - 1], x, values[i]);
  }
  return plot.take();
}

}  // namespace vaecuda
