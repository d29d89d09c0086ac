// How far two training runs are from each other.
#pragma once

#include <cstdint>

#include "support/model_bench.hpp"

namespace vaecuda::test {

/// The largest differences of two runs.
struct Distance {
  double loss = 0.0;           ///< relative, of any step
  double gradient_norm = 0.0;  ///< relative, of any step
  double parameters = 0.0;     ///< absolute, after the last step
};

/// Requires that both took so many steps without a fault.
[[nodiscard]] Distance distance(const TrainingResult& a, const TrainingResult& b, std::int64_t steps);

[[nodiscard]] inline bool is_near(const Distance& d, const Distance& bound) {
  return d.loss <= bound.loss && d.gradient_norm <= bound.gradient_norm && d.parameters <= bound.parameters;
}

}  // namespace vaecuda::test
