// Which device a request comes to, with the way to CUDA given: what choose_device, make_backend and
// make_machine do once they have it.
#pragma once

#include <memory>
#include <string>

#include "host/plan/cuda_module.hpp"

namespace vaecuda {

/// Cards before this one (Turing) have no kernels in any build.
inline constexpr int kMinimumCapability = 75;
/// From this one (Ampere) on there are TF32 and bf16 products.
inline constexpr int kTensorFloatCapability = 80;

/// `request` is "auto", "cpu", "cuda" or "cuda:N". \throws ConfigError, DeviceError
[[nodiscard]] DeviceChoice choose_device(const std::string& request, int threads, const CudaAccess& access);
/// \throws DeviceError
[[nodiscard]] std::unique_ptr<Backend> make_backend(const DeviceInfo& device, Precision precision,
                                                    bool autotune, const CudaAccess& access);
/// \throws DeviceError
[[nodiscard]] std::unique_ptr<Machine> make_machine(const DeviceInfo& device, const CudaAccess& access);

/// Whether code built for these architectures ("75-real,80-real,90") runs on a device of this capability:
/// machine code does on its own and later minors of its major, PTX on anything newer.
[[nodiscard]] bool has_code_for(const std::string& architectures, int capability);

}  // namespace vaecuda
