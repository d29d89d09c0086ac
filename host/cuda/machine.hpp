// A GPU's ceilings, measured by kernels made for it.
#pragma once

#include <cstdint>
#include <memory>

#include "host/cuda/runtime.hpp"
#include "host/plan/machine.hpp"

namespace vaecuda::cuda {

/// How large the measured work is.
struct MachineSizes {
  std::int64_t copy_bytes = std::int64_t{1} << 30;  ///< of one of two buffers, less on a small device
  std::int64_t product = 8192;                      ///< rows, columns and inner size
  std::int64_t launches = 512;
  int barriers = 1000;
};

[[nodiscard]] std::unique_ptr<Machine> make_cuda_machine(std::unique_ptr<Runtime> runtime,
                                                         const MachineSizes& sizes = {});

}  // namespace vaecuda::cuda
