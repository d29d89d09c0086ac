// The CUDA backend, on whatever offers a Runtime.
#pragma once

#include <cstdint>
#include <memory>

#include "host/cuda/runtime.hpp"
#include "host/plan/backend.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::cuda {

struct BackendOptions {
  Precision precision = Precision::fp32;
  bool autotune = false;  ///< matrix products: measure algorithms
  /// Steps whose metrics the device holds, at least 1; so many may be under way.
  std::int64_t metrics_ring = 8192;
};

/// \throws DeviceError for a device that is too old, or too old for this precision.
[[nodiscard]] std::unique_ptr<Backend> make_cuda_backend(std::unique_ptr<Runtime> runtime,
                                                         const BackendOptions& options);

}  // namespace vaecuda::cuda
