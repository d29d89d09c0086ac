// Turns a plan into the launches that carry it out, in the plan's order.
#pragma once

#include <vector>

#include "host/cuda/memory.hpp"
#include "host/cuda/node.hpp"
#include "host/cuda/program_memory.hpp"
#include "host/cuda/store.hpp"
#include "host/plan/step_end.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::cuda {

struct LowerInputs {
  const Plan& plan;
  const StepEnd* end = nullptr;  ///< of a training step
  Context& context;
  CudaParameters& parameters;
  const CudaData* data = nullptr;
  ProgramMemory& memory;
  Precision precision = Precision::fp32;
  bool autotune = false;
};

/// \throws std::logic_error for a plan that misses its data, its moments or its end.
[[nodiscard]] std::vector<Node> lower(const LowerInputs& inputs);

}  // namespace vaecuda::cuda
