// The built-in data set `shapes`: squares, ellipses and hearts whose causes are known.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/data/shape_raster.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// The factors of row `row` (from 0). The rows are a fixed shuffle of the whole grid of factors (294,912 with
/// one channel, 8 times as many with three): that many rows hold each combination once; beyond, the order
/// repeats.
[[nodiscard]] ShapeFactors shape_factors(std::int64_t row, std::int64_t channels);

inline constexpr std::string_view kShapesName = "shapes";
/// True for a path that means the built-in set. A file of that name is reached as ./shapes.
[[nodiscard]] bool is_shapes(std::string_view path);

/// Makes the data set that "shapes" + `spec` asks for: u8 pixels on black, labels (square, ellipse, heart)
/// and the six factors of every row. `spec` is empty or starts with ':'; its parts are joined by ':' or ','.
/// They are HxW or HxWxC (16 to 512, C = 1 or 3; default 32x32x1) and n=ROWS (1 to 100,000,000; default
/// 20,000). Row i depends on i and the picture's shape alone, not on n. \throws ConfigError for any other
/// spec, OutOfMemoryError if the rows do not fit in memory.
[[nodiscard]] Dataset make_shapes(std::string_view spec);

}  // namespace vaecuda
