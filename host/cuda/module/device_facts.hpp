// What the CUDA runtime tells of a device without making a context on it.
#pragma once

#include "host/cuda/runtime.hpp"

namespace vaecuda::cuda {

/// \throws device::Failure
[[nodiscard]] DeviceFacts read_device_facts(int index);
/// Whether its owner has forbidden all computing on it (nvidia-smi --compute-mode). \throws device::Failure
[[nodiscard]] bool is_prohibited(int index);

}  // namespace vaecuda::cuda
