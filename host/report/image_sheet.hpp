// Contact sheets: many rows of data as one picture, each in a cell of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "host/report/image.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {

/// Draws every row of `values` (rows × columns, row-major) into a cell, left to right, top to bottom. With
/// `shape`, a row is a picture: 1 channel is drawn grey, 3 in colour, for any other number their mean; values
/// that are not finite are black. Without `shape`, a row is a line plot over its columns, with gaps where
/// values are not finite. \throws ConfigError if there is no row, the number of values is not a multiple of
/// `columns`, or `shape` has another size.
[[nodiscard]] Image image_sheet(std::span<const float> values, std::int64_t columns,
                                const std::optional<ImageShape>& shape, const SheetOptions& options = {});

/// As image_sheet, with two rows per cell: the original above its reconstruction.
/// \throws as image_sheet, and ConfigError if the two differ in size.
[[nodiscard]] Image pair_sheet(std::span<const float> originals, std::span<const float> reconstructions,
                               std::int64_t columns, const std::optional<ImageShape>& shape,
                               const SheetOptions& options = {});

/// Cells per line, and number of lines.
struct SheetCells {
  std::int64_t across = 0;
  std::int64_t down = 0;
};
/// The grid of a sheet with this many pixels that was drawn at the automatic scale, with `stacked` rows per
/// cell; none if no such sheet has this size.
[[nodiscard]] std::optional<SheetCells> cells_of(std::int64_t width, std::int64_t height,
                                                 const std::optional<ImageShape>& shape,
                                                 std::int64_t stacked);

}  // namespace vaecuda
