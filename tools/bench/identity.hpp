// On what, and with what, something was measured.
#pragma once

#include "bench/report.hpp"
#include "vaecuda/device.hpp"

namespace vaecuda::bench {

/// The device with what its driver and the system tell; null what they do not.
[[nodiscard]] Json identity_of(const DeviceInfo& device);
/// Version, commit, compiler and flags of this program.
[[nodiscard]] Json identity_of_build();

}  // namespace vaecuda::bench
