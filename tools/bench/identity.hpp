// The device and the build of a measurement.
#pragma once

#include "bench/report.hpp"
#include "vaecuda/device.hpp"

namespace vaecuda::bench {

/// The device, with facts from its driver and the system; null if they do not report one.
[[nodiscard]] Json identity_of(const DeviceInfo& device);
/// Version, commit, compiler and flags of this program.
[[nodiscard]] Json identity_of_build();

}  // namespace vaecuda::bench
