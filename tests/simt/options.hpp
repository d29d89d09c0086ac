// How an executor differs from a device in order, with memory and without faults.
#pragma once

#include <cstdint>

#include "host/cuda/runtime.hpp"

namespace vaecuda::simt {

/// Which epilogues the executor's library of matrix products has.
enum class EpilogueSupport { all, bias_only, none };

/// The at-th call (from 1) fails with a CUDA error number; 0: none does.
struct InjectedFailure {
  std::int64_t at = 0;
  int error = 0;
};

[[nodiscard]] inline cuda::DeviceFacts default_facts() {
  cuda::DeviceFacts facts;
  facts.name = "SIMT executor";
  facts.memory_bytes = std::int64_t{4} << 30;
  facts.capability = 90;
  facts.multiprocessors = 4;  // few, so that grids that are capped by them are met with small shapes
  return facts;
}

struct SimtOptions {
  cuda::DeviceFacts facts = default_facts();  ///< memory_bytes is the limit of what allocate() gives
  EpilogueSupport epilogues = EpilogueSupport::all;
  bool second_order = true;  ///< run every launch again with the blocks in another order, and compare
  std::int64_t failing_allocation =
      0;                   ///< this one (from 1), of device or pinned memory, gives null; 0: none
  InjectedFailure launch;  ///< kernels and products, counted where they run, replays included
  InjectedFailure wait;    ///< synchronize() and Event::wait()
  InjectedFailure capture;
};

}  // namespace vaecuda::simt
