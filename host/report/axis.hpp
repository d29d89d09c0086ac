// An axis of a chart: a range with round ends, its ticks and their labels.
#pragma once

#include <string>
#include <vector>

namespace vaecuda {

struct Axis {
  double low = 0.0;
  double high = 1.0;
  std::vector<double> ticks;       ///< ascending, inside the range
  std::vector<std::string> words;  ///< one per tick

  /// Position of `value`: 0 at `low`, 1 at `high`. Values far outside are clamped to kFar axis lengths from
  /// the nearer end; NaN is placed at `low`.
  [[nodiscard]] double share(double value) const;

  static constexpr double kFar = 1e6;
};

/// An axis over [low, high] with about `intervals` (1 or more) steps of 1, 2 or 5 times a power of ten, and
/// at least one tick. `widen` moves the ends outwards to ticks. A range that is empty (also: narrower than
/// 1e-12 of its ends, or than 1e-300) or not finite is widened. The ends are always finite.
[[nodiscard]] Axis make_axis(double low, double high, int intervals, bool widen);

}  // namespace vaecuda
