// Contact sheets: many rows of data as one picture, each in a cell of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "host/report/image.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// The values that are drawn darkest and brightest (pictures), or lowest and highest (line plots).
struct ValueRange {
  float low = 0.0F;
  float high = 1.0F;
};

/// How a sheet is laid out.
struct SheetOptions {
  /// Cells side by side; 0: about as many as makes the sheet square.
  std::int64_t cells_across = 0;
  /// Sheet pixels per picture pixel, in both directions; 0: the least that makes pictures 48 pixels wide and
  /// high.
  std::int64_t scale = 0;
  /// Values outside are clamped. Default: 0 to 1 for pictures; for a line plot the least and greatest finite
  /// value in its cell, so that an original and its reconstruction share one axis.
  std::optional<ValueRange> range;
};

/// Draws every row of `values` (rows × columns, row-major) into a cell, left to right, top to bottom. With
/// `shape`, a row is a picture: 1 channel is grey, 3 are colour, of any other number the mean is drawn; a
/// value that is not finite is black. Without it, a row is a line plot over its columns, with gaps where
/// values are not finite. \throws ConfigError if there is no row, `columns` does not divide the values, or
/// `shape` has another size.
[[nodiscard]] Image image_sheet(std::span<const float> values, std::int64_t columns,
                                const std::optional<ImageShape>& shape, const SheetOptions& options = {});

/// As image_sheet, with two rows a cell: the original above its reconstruction.
/// \throws as image_sheet, and ConfigError if the two differ in size.
[[nodiscard]] Image pair_sheet(std::span<const float> originals, std::span<const float> reconstructions,
                               std::int64_t columns, const std::optional<ImageShape>& shape,
                               const SheetOptions& options = {});

}  // namespace vaecuda
