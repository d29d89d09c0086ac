// Calls of the CUDA runtime: a refusal becomes a device::Failure.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "kernels/device/failure.hpp"

namespace vaecuda::kernels {

/// \throws device::Failure unless `status` is success. `call` says what was tried.
inline void check_cuda(const std::string& call, cudaError_t status) {
  if (status != cudaSuccess) throw device::Failure(call, static_cast<int>(status));
}

}  // namespace vaecuda::kernels
