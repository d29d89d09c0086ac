// An axis of a chart: a range that ends at round numbers, its ticks and their words.
#pragma once

#include <string>
#include <vector>

namespace vaecuda {

struct Axis {
  double low = 0.0;
  double high = 1.0;
  std::vector<double> ticks;       ///< ascending, inside the range
  std::vector<std::string> words;  ///< one per tick

  /// Where `value` lies: 0 at `low`, 1 at `high`.
  [[nodiscard]] double share(double value) const { return (value - low) / (high - low); }
};

/// An axis over [low, high] with about `intervals` steps of 1, 2 or 5 times a power of ten. `widen` moves the
/// ends outwards to ticks. An empty range, or one that is not finite, is widened.
[[nodiscard]] Axis make_axis(double low, double high, int intervals, bool widen);

}  // namespace vaecuda
