// What CUDA finds on this machine.
#pragma once

#include "host/plan/cuda_module.hpp"

namespace vaecuda::cuda {

/// Makes no context on any device.
[[nodiscard]] DeviceProbe probe_devices();

}  // namespace vaecuda::cuda
