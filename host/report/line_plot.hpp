// A small line plot of a vector, for rows that are not pictures.
#pragma once

#include <cstdint>
#include <span>

#include "host/report/image.hpp"

namespace vaecuda {

constexpr std::int64_t kPlotHeight = 48;
constexpr std::int64_t kPlotWidth = 96;

/// Draws `values` from left to right as a dark line on white (kPlotHeight × kPlotWidth, grey), `low` at the
/// bottom and `high` at the top, with a pale line at 0 if the range contains it. With more values than
/// pixels, a column of pixels spans the smallest to the largest of its values, so that no spike is lost.
/// Values outside the range are drawn at its border; a value that is not finite leaves a gap.
[[nodiscard]] Image line_plot(std::span<const float> values, float low, float high);

}  // namespace vaecuda
