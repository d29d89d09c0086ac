// Draws one square, ellipse or heart from its factors, in integers alone: the same bytes on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// The causes of a picture. Each counts from 0 to below its entry in shape_factor_counts().
struct ShapeFactors {
  std::int32_t shape = 0;     ///< 0 square, 1 ellipse (twice as long as wide), 2 heart
  std::int32_t scale = 0;     ///< size, linear in length from half to whole; equal scale is equal area
  std::int32_t rotation = 0;  ///< clockwise, in 16ths of the shape's own period: 90°, 180°, 360°
  std::int32_t x = 0;         ///< column of the centroid, left to right
  std::int32_t y = 0;         ///< row of the centroid, top to bottom
  std::int32_t colour = 0;    ///< hue with three channels; with one channel the only value is 0, white
  friend bool operator==(const ShapeFactors&, const ShapeFactors&) = default;
};

constexpr int kShapeFactorCount = 6;

/// How many values each factor takes, in ShapeFactors' order. `channels` is 1 or 3.
[[nodiscard]] std::array<std::int32_t, kShapeFactorCount> shape_factor_counts(std::int64_t channels);
/// "shape", "scale", "rotation", "x", "y", "colour".
[[nodiscard]] const std::vector<std::string>& shape_factor_names();
/// "square", "ellipse", "heart".
[[nodiscard]] const std::vector<std::string>& shape_names();

/// Draws pictures of one shape (height × width, 1 or 3 channels). Not thread-safe: it holds scratch memory.
class ShapeRasterizer {
 public:
  explicit ShapeRasterizer(const ImageShape& image);
  /// Overwrites `pixels` (height × width × channels) with the picture on black, 255 at full coverage.
  /// The figure touches the edge at most, so no factor is ever hidden.
  void draw(const ShapeFactors& factors, std::span<std::uint8_t> pixels);

 private:
  void cover(std::int64_t line, std::int64_t begin, std::int64_t end);

  ImageShape image_;
  std::vector<std::int32_t> coverage_;  // height × width
};

}  // namespace vaecuda
