// Where the time of a step goes, launch by launch.
#pragma once

#include <memory>
#include <vector>

#include "host/cuda/memory.hpp"
#include "host/cuda/node.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/step_end.hpp"

namespace vaecuda::cuda {

/// Measures each launch on its own, from a cold cache: between two of them a buffer larger than any cache is
/// overwritten, during which the host queues the next, so that no launch waits for the host.
class Profiler {
 public:
  /// All must outlive this object. \throws OutOfMemoryError
  Profiler(Context& context, const ProgramMemory& memory, const std::vector<Node>& nodes);
  /// Puts one step with its measurement on the stream.
  void enqueue_step();
  /// Waits for that step and adds what its launches took to their ops' seconds.
  void collect(std::vector<OpTime>& ops);

 private:
  struct Span {
    std::unique_ptr<Event> begin;
    std::unique_ptr<Event> end;
  };
  Runtime& runtime_;
  const ProgramMemory& memory_;
  const std::vector<Node>& nodes_;
  DeviceBuffer flush_;
  std::vector<Span> spans_;  ///< by node
};

/// The ops of a plan with what this backend does for each, the seconds zero. `end`: that of a training step,
/// else null.
[[nodiscard]] std::vector<OpTime> ops_as_launched(const Plan& plan, const StepEnd* end);

}  // namespace vaecuda::cuda
