// The devices that training and inference can run on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vaecuda/export.h"

namespace vaecuda {

enum class DeviceKind { cpu, cuda };

/// A device as it was found on this machine.
struct DeviceInfo {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;                  ///< cuda:N
  std::string name;               ///< as the vendor calls it
  std::int64_t memory_bytes = 0;  ///< total memory of the device (of the host for the CPU)
  int threads = 0;                ///< CPU: threads that will be used
  int capability = 0;             ///< cuda: 10·major + minor of the compute capability, 90 for sm_90
};

/// What a request ("auto", "cpu", "cuda", "cuda:1") comes to on this machine.
struct DeviceChoice {
  DeviceInfo device;
  std::string note;  ///< why auto fell back to the CPU, why it has fewer threads, in one line; or empty
};

/// \throws ConfigError for a malformed request; DeviceError where a GPU was asked for and none can be used,
/// with the reason (built without CUDA, no driver, driver or GPU too old, no such GPU).
[[nodiscard]] VAECUDA_API DeviceChoice choose_device(const std::string& request, int threads = 0);

}  // namespace vaecuda
