#include "host/data/shape_raster.hpp"

#include <algorithm>
#include <cstddef>

namespace vaecuda {
namespace {

// Lengths are in 1/256 pixel, sines in 1/16384, angles in 1/64 of the circle. A pixel is cut into kLines
// horizontal lines; along each the figure's borders are solved for, so that coverage has 256 levels from left
// to right.
constexpr int kSubpixelBits = 8;
constexpr std::int64_t kSubpixel = std::int64_t{1} << kSubpixelBits;
constexpr int kSineBits = 14;
constexpr int kCircle = 64;
constexpr std::int64_t kLines = 8;
constexpr std::int64_t kFullCoverage = kLines * kSubpixel;

constexpr std::int32_t kScales = 6;
constexpr std::int32_t kRotations = 16;
constexpr std::int32_t kPositions = 32;

// round(16384 * sin(2 pi k / 64)), a quarter of the circle.
constexpr std::array<std::int32_t, 17> kSine = {0,     1606,  3196,  4756,  6270,  7723,  9102,  10394, 11585,
                                                12665, 13623, 14449, 15137, 15679, 16069, 16305, 16384};

// All far from black, and no two alike in print.
constexpr std::array<std::array<std::uint8_t, 3>, 8> kColours = {{{230, 57, 70},
                                                                  {247, 140, 46},
                                                                  {255, 214, 51},
                                                                  {94, 201, 98},
                                                                  {49, 200, 200},
                                                                  {66, 135, 245},
                                                                  {157, 96, 235},
                                                                  {240, 110, 190}}};

std::int64_t sine(int angle) {
  const int turned = angle & (kCircle - 1);
  const int half = turned & (kCircle / 2 - 1);
  const std::int64_t value = kSine[static_cast<std::size_t>(half <= kCircle / 4 ? half : kCircle / 2 - half)];
  return turned < kCircle / 2 ? value : -value;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

std::int64_t square_root(std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value);
  std::uint64_t root = 0;
  std::uint64_t bit = std::uint64_t{1} << 62;
  while (bit > rest) bit >>= 2;
  for (; bit != 0; bit >>= 2) {
    const bool fits = rest >= root + bit;
    rest -= fits ? root + bit : 0;
    root = (root >> 1) + (fits ? bit : 0);
  }
  return static_cast<std::int64_t>(root);
}

// Where a figure covers a line: from begin to before end.
struct Interval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct Direction {
  std::int64_t cos;
  std::int64_t sin;
  explicit Direction(int angle) : cos(sine(angle + kCircle / 4)), sin(sine(angle)) {}
};

// The x with |slope * x + offset| <= limit.
Interval slab(std::int64_t slope, std::int64_t offset, std::int64_t limit) {
  constexpr std::int64_t kEverywhere = std::int64_t{1} << 40;
  if (slope == 0) {
    return offset >= -limit && offset <= limit ? Interval{-kEverywhere, kEverywhere} : Interval{};
  }
  const Interval ends{floor_divide(-limit - offset, slope), floor_divide(limit - offset, slope)};
  return slope > 0 ? ends : Interval{ends.end, ends.begin};
}

// A square of half side `half` round the origin, on the line at height y.
Interval cut_square(std::int64_t half, Direction axis, std::int64_t y) {
  const std::int64_t limit = half << kSineBits;
  const Interval u = slab(axis.cos, y * axis.sin, limit);
  const Interval v = slab(-axis.sin, y * axis.cos, limit);
  return {std::max(u.begin, v.begin), std::min(u.end, v.end)};
}

// An ellipse with semi-axes a (along `axis`) and b round the origin: with its half height h,
// h² = a² sin² + b² cos², x = (y (a² - b²) sin cos ± a b √(h² - y²)) / h².
Interval cut_ellipse(std::int64_t a, std::int64_t b, Direction axis, std::int64_t y) {
  const std::int64_t h2 = (a * a * (axis.sin * axis.sin) + b * b * (axis.cos * axis.cos)) >> (2 * kSineBits);
  if (y * y >= h2) return {};
  const std::int64_t shear = (a * a - b * b) * ((axis.sin * axis.cos) >> kSineBits) >> kSineBits;
  const std::int64_t spread = a * b * square_root(h2 - y * y);
  return {floor_divide(y * shear - spread, h2), floor_divide(y * shear + spread, h2)};
}

Interval cut_disc(std::int64_t radius, std::int64_t y) {
  if (y * y >= radius * radius) return {};
  const std::int64_t half = square_root(radius * radius - y * y);
  return {-half, half};
}

struct Point {
  std::int64_t x;
  std::int64_t y;
};

// The image of (u, v) in a frame whose u axis points along `axis`.
Point rotate(std::int64_t u, std::int64_t v, Direction axis) {
  return {(u * axis.cos - v * axis.sin) >> kSineBits, (u * axis.sin + v * axis.cos) >> kSineBits};
}

// A figure whose centroid is the origin. Its area is that of the square with half side `size`; no point of it
// lies further than 1.6 size from the origin (an ellipse's ends do).
class Figure {
 public:
  Figure(std::int32_t shape, std::int64_t size, std::int32_t rotation)
      : shape_(shape),
        size_(size),
        axis_(shape == 2 ? kHeartUpright + 4 * rotation : (shape + 1) * rotation) {
    if (shape != 2) return;
    half_ = size * 192 / 256;                        // √(4 / (4 + π))
    const std::int64_t centroid = half_ * 80 / 256;  // of a heart, from its square's middle, along u and v
    square_ = rotate(-centroid, -centroid, axis_);
    left_ = rotate(half_ - centroid, -centroid, axis_);
    right_ = rotate(-centroid, half_ - centroid, axis_);
  }

  // The parts of the line at height y that the figure covers; unused ones are empty, some may overlap.
  [[nodiscard]] std::array<Interval, 3> cut(std::int64_t y) const {
    if (shape_ == 0) return {cut_square(size_, axis_, y)};
    if (shape_ == 1) return {cut_ellipse(size_ * 408 / 256, size_ * 204 / 256, axis_, y)};  // √(8/π), √(2/π)
    // A heart is a square that stands on a corner, with a disc on the middle of each upper side.
    return {moved(cut_square(half_, axis_, y - square_.y), square_.x),
            moved(cut_disc(half_, y - left_.y), left_.x), moved(cut_disc(half_, y - right_.y), right_.x)};
  }

 private:
  static constexpr int kHeartUpright = kCircle * 5 / 8;  // the corner between the discs points up

  static Interval moved(Interval interval, std::int64_t by) {
    return interval.begin < interval.end ? Interval{interval.begin + by, interval.end + by} : Interval{};
  }

  std::int32_t shape_;
  std::int64_t size_;
  Direction axis_;
  std::int64_t half_ = 0;
  Point square_{};
  Point left_{};
  Point right_{};
};

// Of the largest figure, in any rotation: so much that small pictures still show a heart, and room is left to
// move.
std::int64_t largest_reach(const ImageShape& image) {
  return std::min(image.height, image.width) * kSubpixel * 5 / 16;
}

std::int64_t figure_size(const ImageShape& image, std::int32_t scale) {
  const std::int64_t largest = largest_reach(image) * 10 / 16;
  return largest * (kScales - 1 + scale) / (2 * (kScales - 1));
}

std::int64_t position(std::int64_t pixels, std::int64_t reach, std::int32_t index) {
  return reach + (pixels * kSubpixel - 2 * reach) * index / (kPositions - 1);
}

}  // namespace

std::array<std::int32_t, kShapeFactorCount> shape_factor_counts(std::int64_t channels) {
  const auto colours = channels == 3 ? static_cast<std::int32_t>(kColours.size()) : 1;
  return {3, kScales, kRotations, kPositions, kPositions, colours};
}

const std::vector<std::string>& shape_factor_names() {
  static const std::vector<std::string> kNames = {"shape", "scale", "rotation", "x", "y", "colour"};
  return kNames;
}

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> kNames = {"square", "ellipse", "heart"};
  return kNames;
}

ShapeRasterizer::ShapeRasterizer(const ImageShape& image)
    : image_(image), coverage_(static_cast<std::size_t>(image.height * image.width)) {}

// Adds the part of a line (counted from the top, kLines to a pixel) from begin to end, in 1/256 pixel.
void ShapeRasterizer::cover(std::int64_t line, std::int64_t begin, std::int64_t end) {
  begin = std::max<std::int64_t>(begin, 0);
  end = std::min(end, image_.width * kSubpixel);
  if (begin >= end) return;
  std::int32_t* row = coverage_.data() + line / kLines * image_.width;
  const std::int64_t first = begin >> kSubpixelBits;
  const std::int64_t last = (end - 1) >> kSubpixelBits;
  for (std::int64_t column = first; column <= last; ++column)
    row[column] += static_cast<std::int32_t>(kSubpixel);
  row[first] -= static_cast<std::int32_t>(begin - first * kSubpixel);
  row[last] -= static_cast<std::int32_t>((last + 1) * kSubpixel - end);
}

void ShapeRasterizer::draw(const ShapeFactors& factors, std::span<std::uint8_t> pixels) {
  std::fill(coverage_.begin(), coverage_.end(), 0);
  const std::int64_t reach = largest_reach(image_);
  const Point centre{position(image_.width, reach, factors.x), position(image_.height, reach, factors.y)};
  const Figure figure(factors.shape, figure_size(image_, factors.scale), factors.rotation);

  constexpr std::int64_t kLineHeight = kSubpixel / kLines;
  const std::int64_t first_line = std::max<std::int64_t>((centre.y - reach) / kLineHeight, 0);
  const std::int64_t last_line = std::min((centre.y + reach) / kLineHeight, image_.height * kLines - 1);
  for (std::int64_t line = first_line; line <= last_line; ++line) {
    std::array<Interval, 3> parts = figure.cut(line * kLineHeight + kLineHeight / 2 - centre.y);
    if (factors.shape == 2) {
      std::sort(parts.begin(), parts.end(), [](Interval a, Interval b) { return a.begin < b.begin; });
    }
    std::int64_t covered_to = INT64_MIN;  // what two parts share counts once
    for (const Interval& part : parts) {
      if (part.begin >= part.end) continue;
      const std::int64_t begin = std::max(centre.x + part.begin, covered_to);
      const std::int64_t end = centre.x + part.end;
      cover(line, begin, end);
      covered_to = std::max(covered_to, end);
    }
  }

  const auto channels = static_cast<std::size_t>(image_.channels);
  static constexpr std::array<std::uint8_t, 3> kWhite = {255, 255, 255};
  const auto& colour = channels == 3 ? kColours[static_cast<std::size_t>(factors.colour)] : kWhite;
  for (std::size_t pixel = 0; pixel < coverage_.size(); ++pixel) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const std::int64_t value =
          (coverage_[pixel] * std::int64_t{colour[channel]} + kFullCoverage / 2) / kFullCoverage;
      pixels[pixel * channels + channel] = static_cast<std::uint8_t>(value);
    }
  }
}

}  // namespace vaecuda
