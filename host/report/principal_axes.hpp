// The plane in which points of many dimensions spread most.
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
/// iteration. An axis points to where its greatest component is positive. With fewer than 2 columns the
/// second is 0. Rows that are not finite take no part, and their points are NaN.
[[nodiscard]] PlaneView principal_plane(std::span<const float> values, std::int64_t columns);

}  // namespace vaecuda
