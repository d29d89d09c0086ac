// Measures the time of a step per op. Phases that run without it have no overhead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/cpu/program.hpp"
#include "host/plan/plan.hpp"

#include "host/plan/step_end.hpp"

namespace vaecuda::cpu {

/// Measures phases that run on this many threads.
class Profiler {
 public:
  Profiler(std::size_t ops, int threads);
  /// The same phases, which also record the time of every op here. They must not outlive this object.
  [[nodiscard]] std::vector<Phase> timed(const std::vector<Phase>& phases);
  /// Time of the op so far: that of the threads divided by their number, plus all serial time.
  [[nodiscard]] double seconds(std::size_t op) const;

 private:
  [[nodiscard]] std::int64_t& nanoseconds(std::size_t op, std::size_t thread) {
    return nanoseconds_[thread * stride_ + op];
  }
  std::size_t threads_;
  std::size_t stride_;                     ///< whole cache lines for each thread
  std::vector<std::int64_t> nanoseconds_;  ///< by thread and op
};

/// The ops of a plan with what this backend does for each, the seconds zero. An update applied in the tiles
/// of weight gradients counts as part of them: 24 bytes per parameter (parameter and moments, read and
/// written), while the gradient never leaves the cache. `end`: that of a training step, else null.
[[nodiscard]] std::vector<OpTime> ops_as_compiled(const Plan& plan, const StepEnd* end);

}  // namespace vaecuda::cpu
