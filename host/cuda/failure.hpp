// Wording of what CUDA refuses: every device::Failure leaves the backend as one of the library's own errors.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "host/cuda/runtime.hpp"
#include "kernels/device/failure.hpp"

namespace vaecuda::cuda {

/// \throws OutOfMemoryError for CUDA's error 2 and where memory for a library could not be had, DeviceError
/// where the driver or the device is missing or unfit, else RuntimeError. `runtime` may be null: then nothing
/// is known of a device.
[[noreturn]] void throw_as_error(const device::Failure& failure, Runtime* runtime);

/// \throws OutOfMemoryError for device memory that could not be had.
[[noreturn]] void refuse_memory(Runtime& runtime, std::int64_t bytes, const std::string& what);

/// Does the work; what CUDA refuses in it is thrown as the library's error.
template <typename Work>
decltype(auto) with_errors(Runtime& runtime, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const device::Failure& failure) {
    throw_as_error(failure, &runtime);
  }
}

}  // namespace vaecuda::cuda
