// The devices that training and inference can run on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vaecuda/export.h"

namespace vaecuda {

enum class DeviceKind { cpu, cuda };

/// A device of this machine.
struct DeviceInfo {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;                  ///< cuda:N
  std::string name;               ///< the vendor's name
  std::int64_t memory_bytes = 0;  ///< total memory of the device (CPU: of the host)
  int threads = 0;                ///< CPU: threads that will be used
  int capability = 0;             ///< cuda: 10·major + minor of the compute capability, 90 for sm_90
};

/// The device that a request ("auto", "cpu", "cuda", "cuda:1") selects on this machine.
struct DeviceChoice {
  DeviceInfo device;
  std::string note;  ///< why auto fell back to the CPU, or why there are fewer threads, in one line; or empty
};

/// Resolves a request; `threads` as RunOn::threads. \throws ConfigError for a malformed request; DeviceError
/// if a GPU was requested and none can be used, with the reason (built without CUDA, no driver, driver or GPU
/// too old, no such GPU).
[[nodiscard]] VAECUDA_API DeviceChoice choose_device(const std::string& request, int threads = 0);

}  // namespace vaecuda
