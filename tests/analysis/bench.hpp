// The CUDA backend on the executor, whose analysis is that of kernels/library/ on Thrust's host system.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "host/cuda/backend.hpp"
#include "simt/runtime.hpp"

namespace vaecuda::test {

/// `failing_allocation`: this one gives nothing; 0: all give memory.
inline std::unique_ptr<Backend> thrust_backend(std::int64_t failing_allocation = 0) {
  simt::SimtOptions options;
  options.failing_allocation = failing_allocation;
  return cuda::make_cuda_backend(std::make_unique<simt::SimtRuntime>(std::move(options)), {});
}

}  // namespace vaecuda::test
