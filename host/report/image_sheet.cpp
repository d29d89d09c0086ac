#include "host/report/image_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "host/report/line_plot.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::uint8_t kGutterGrey = 112;  // visible beside black pictures and white plots
constexpr std::int64_t kGutter = 3;        // between cells and round the sheet
constexpr std::int64_t kPairGap = 1;       // between an original and its reconstruction
constexpr std::int64_t kVisibleSide = 48;
constexpr std::int64_t kMostAcross = 64;

std::uint8_t to_byte(float value, ValueRange range) {
  if (!std::isfinite(value)) return 0;
  if (!(range.low < range.high)) return value > range.low ? 255 : 0;
  const double low = static_cast<double>(range.low);  // in double, even the widest range has a finite width
  const double high = static_cast<double>(range.high);
  const double share = (std::clamp(static_cast<double>(value), low, high) - low) / (high - low);
  return static_cast<std::uint8_t>(std::lround(share * 255.0));
}

// Numbers of channels that picture files do not support are averaged to grey.
Image to_picture(std::span<const float> row, const ImageShape& shape, ValueRange range) {
  const bool direct = shape.channels == 1 || shape.channels == 3;
  Image picture{shape.height, shape.width, direct ? shape.channels : 1, {}};
  const auto merged = static_cast<std::size_t>(direct ? 1 : shape.channels);
  for (std::size_t i = 0; i < row.size(); i += merged) {
    float sum = 0.0F;
    for (const float value : row.subspan(i, merged)) sum += value / static_cast<float>(merged);
    picture.pixels.push_back(to_byte(sum, range));
  }
  return picture;
}

ValueRange finite_range(std::span<const std::span<const float>> rows) {
  ValueRange range{std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()};
  for (const auto& row : rows) {
    for (const float value : row) {
      if (!std::isfinite(value)) continue;
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }
  return range.low <= range.high ? range : ValueRange{};
}

// Copies `picture`, each pixel scale × scale, into `sheet` with its upper left corner at (top, left).
void paste(Image& sheet, const Image& picture, std::int64_t top, std::int64_t left, std::int64_t scale) {
  for (std::int64_t y = 0; y < picture.height * scale; ++y) {
    for (std::int64_t x = 0; x < picture.width * scale; ++x) {
      const std::int64_t from = (y / scale * picture.width + x / scale) * picture.channels;
      const std::int64_t to = ((top + y) * sheet.width + left + x) * sheet.channels;
      for (std::int64_t channel = 0; channel < picture.channels; ++channel) {
        sheet.pixels[static_cast<std::size_t>(to + channel)] =
            picture.pixels[static_cast<std::size_t>(from + channel)];
      }
    }
  }
}

void check(std::span<const float> values, std::int64_t columns, const std::optional<ImageShape>& shape,
           const SheetOptions& options) {
  const auto size = static_cast<std::int64_t>(values.size());
  if (columns < 1 || size < 1 || size % columns != 0) {
    throw ConfigError(fmt::format("a sheet of {} values cannot be cut into rows of {}", size, columns));
  }
  if (shape && (shape->height < 1 || shape->width < 1 || shape->channels < 1 || shape->size() != columns)) {
    throw ConfigError(fmt::format("a picture of {} x {} x {} cannot be drawn from rows of {} values",
                                  shape->height, shape->width, shape->channels, columns));
  }
  if (options.cells_across < 0 || options.scale < 0) {
    throw ConfigError(fmt::format(
        "a sheet cannot have {} cells side by side at scale {}; 0 chooses, 1 or more is taken as it is",
        options.cells_across, options.scale));
  }
}

/// A cell in sheet pixels.
struct Cell {
  std::int64_t picture_height = 0;  ///< of one of the stacked rows
  std::int64_t scale = 1;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// `scale` 0: the smallest that is legible.
Cell cell_for(const std::optional<ImageShape>& shape, std::int64_t stacked, std::int64_t scale) {
  const std::int64_t height = shape ? shape->height : kPlotHeight;
  const std::int64_t width = shape ? shape->width : kPlotWidth;
  const std::int64_t visible = (kVisibleSide + std::min(height, width) - 1) / std::min(height, width);
  const std::int64_t factor = scale > 0 ? scale : visible;
  return {height, factor, stacked * height * factor + (stacked - 1) * kPairGap, width * factor};
}

// Draws row i of each source, one above the other, into cell i.
Image draw_sheet(std::span<const std::span<const float>> sources, std::int64_t columns,
                 const std::optional<ImageShape>& shape, const SheetOptions& options) {
  const auto stacked = static_cast<std::int64_t>(sources.size());
  const std::int64_t rows = static_cast<std::int64_t>(sources[0].size()) / columns;
  const auto [height, scale, cell_height, cell_width] = cell_for(shape, stacked, options.scale);

  std::int64_t across = options.cells_across;
  if (across == 0) {
    const double square = std::sqrt(static_cast<double>(rows) * static_cast<double>(cell_height + kGutter) /
                                    static_cast<double>(cell_width + kGutter));
    across = std::clamp<std::int64_t>(std::lround(square), 1, kMostAcross);
  }
  across = std::min(across, rows);
  const std::int64_t down = (rows + across - 1) / across;

  Image sheet;
  sheet.height = kGutter + down * (cell_height + kGutter);
  sheet.width = kGutter + across * (cell_width + kGutter);
  sheet.channels = shape && shape->channels == 3 ? 3 : 1;
  sheet.pixels.assign(static_cast<std::size_t>(sheet.height * sheet.width * sheet.channels), kGutterGrey);

  std::vector<std::span<const float>> cell(sources.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      cell[i] =
          sources[i].subspan(static_cast<std::size_t>(row * columns), static_cast<std::size_t>(columns));
    }
    const ValueRange range = options.range ? *options.range : shape ? ValueRange{} : finite_range(cell);
    std::int64_t top = kGutter + row / across * (cell_height + kGutter);
    const std::int64_t left = kGutter + row % across * (cell_width + kGutter);
    for (const auto& values : cell) {
      const Image picture =
          shape ? to_picture(values, *shape, range) : line_plot(values, range.low, range.high);
      paste(sheet, picture, top, left, scale);
      top += height * scale + kPairGap;
    }
  }
  return sheet;
}

}  // namespace

Image image_sheet(std::span<const float> values, std::int64_t columns, const std::optional<ImageShape>& shape,
                  const SheetOptions& options) {
  check(values, columns, shape, options);
  const std::array<std::span<const float>, 1> sources = {values};
  return draw_sheet(sources, columns, shape, options);
}

Image pair_sheet(std::span<const float> originals, std::span<const float> reconstructions,
                 std::int64_t columns, const std::optional<ImageShape>& shape, const SheetOptions& options) {
  check(originals, columns, shape, options);
  if (originals.size() != reconstructions.size()) {
    throw ConfigError(fmt::format("{} values cannot be paired with {} reconstructed ones", originals.size(),
                                  reconstructions.size()));
  }
  const std::array<std::span<const float>, 2> sources = {originals, reconstructions};
  return draw_sheet(sources, columns, shape, options);
}

std::optional<SheetCells> cells_of(std::int64_t width, std::int64_t height,
                                   const std::optional<ImageShape>& shape, std::int64_t stacked) {
  const Cell cell = cell_for(shape, stacked, 0);
  const auto count = [](std::int64_t side, std::int64_t of_cell) {
    const std::int64_t inside = side - kGutter;
    return inside > 0 && inside % (of_cell + kGutter) == 0 ? inside / (of_cell + kGutter) : 0;
  };
  const SheetCells cells{count(width, cell.width), count(height, cell.height)};
  return cells.across > 0 && cells.down > 0 ? std::optional(cells) : std::nullopt;
}

}  // namespace vaecuda
