// Turns a plan into the launches that carry it out, in the plan's order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/cuda/memory.hpp"
#include "host/cuda/program_memory.hpp"
#include "host/cuda/store.hpp"
#include "host/plan/plan.hpp"
#include "kernels/update.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::cuda {

/// A launch, or several that belong together.
struct Node {
  std::string name;
  std::size_t op = 0;  ///< of the plan that it is part of
  int kernels = 1;
  std::function<void(kernels::Stream)> enqueue;
};

/// A matrix product of the program, and what it is for.
struct NamedGemm {
  std::string name;
  std::unique_ptr<kernels::Gemm> gemm;
};

struct Lowered {
  std::vector<Node> nodes;
  std::vector<NamedGemm> gemms;                 ///< the nodes refer to them
  std::optional<kernels::AdvanceArgs> advance;  ///< training
};

struct LowerInputs {
  const Plan& plan;
  Context& context;
  CudaParameters& parameters;
  const CudaData* data = nullptr;
  ProgramMemory& memory;
  Precision precision = Precision::fp32;
  bool autotune = false;
};

/// \throws std::logic_error for a plan that misses its data, its moments or its end.
[[nodiscard]] Lowered lower(const LowerInputs& inputs);

}  // namespace vaecuda::cuda
