// Measuring a duration: repeats until their median is known well enough, or until the time runs out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bench/options.hpp"

namespace vaecuda::bench {

struct Measurement {
  double seconds = 0.0;  ///< of one run: the median over the repeats
  double fastest = 0.0;  ///< of one run, in the fastest repeat
  std::optional<double>
      spread;  ///< distance of the quartiles, relative to the median; none for a single repeat
  std::int64_t repeats = 0;
  std::int64_t runs_per_repeat = 0;
};

/// A repeat: runs the work this many times; returns the seconds of one run for each part of it.
using Repeat = std::function<std::vector<double>(std::int64_t runs)>;

/// One measurement for each part. Short work is run many times within a repeat. The repeats end when the
/// median of their sums is known to half a per cent, or when the budget is spent; there is always a warm-up
/// before, and at least one repeat.
[[nodiscard]] std::vector<Measurement> measure_parts(const Budget& budget, const Repeat& repeat);
/// The same for work of a single part; `seconds` returns the time of all runs.
[[nodiscard]] Measurement measure(const Budget& budget,
                                  const std::function<double(std::int64_t runs)>& seconds);

/// The quantile of sorted values, with linear interpolation between neighbours.
[[nodiscard]] double quantile(const std::vector<double>& sorted, double share);

}  // namespace vaecuda::bench
