// The plane of largest variance of points in many dimensions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace vaecuda {

struct PlaneView {
  std::vector<std::array<double, 2>> points;
  std::array<double, 2> share{};  ///< of the variance, along each axis
};

/// `values` (rows, columns) projected on the first two principal axes (Pearson 1901), by orthogonal
/// iteration. The sign of an axis makes its largest component positive. With fewer than 2 columns the second
/// axis is 0. Rows that are not finite are ignored, and their points are NaN.
[[nodiscard]] PlaneView principal_plane(std::span<const float> values, std::int64_t columns);

}  // namespace vaecuda
