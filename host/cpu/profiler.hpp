// Where the time of a step goes, op by op. Phases that run without it carry no trace of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/cpu/program.hpp"
#include "host/plan/plan.hpp"

#include "host/plan/step_end.hpp"

namespace vaecuda::cpu {

/// Measures phases that run on so many threads.
class Profiler {
 public:
  Profiler(std::size_t ops, int threads);
  /// Phases that do the same and note the time of every op here. They must not outlive this object.
  [[nodiscard]] std::vector<Phase> timed(const std::vector<Phase>& phases);
  /// What the op has taken so far: the threads' time by their number, and all of what held up every thread.
  [[nodiscard]] double seconds(std::size_t op) const;

 private:
  [[nodiscard]] std::int64_t& nanoseconds(std::size_t op, std::size_t thread) {
    return nanoseconds_[thread * stride_ + op];
  }
  std::size_t ops_;
  std::size_t threads_;
  std::size_t stride_;                     ///< whole cache lines for each thread
  std::vector<std::int64_t> nanoseconds_;  ///< by thread and op
};

/// The ops of a plan with what this backend does for each, the seconds zero. An update that rides with the
/// weight gradients' tiles counts as theirs: 24 bytes a parameter (parameter and moments, read and written),
/// while the gradient itself never leaves the cache.
/// `end`: that of a training step, else null.
[[nodiscard]] std::vector<OpTime> ops_as_compiled(const Plan& plan, const StepEnd* end);

}  // namespace vaecuda::cpu
