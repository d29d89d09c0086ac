// Measured ceilings of a device.
#pragma once

#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "host/plan/machine.hpp"

namespace vaecuda::bench {

/// The result for one ceiling.
struct MeasuredCeiling {
  Ceiling ceiling;
  Measurement time;  ///< of one repeat of its work; empty if the device refused
  /// Bytes or operations per second, or the seconds of one event.
  [[nodiscard]] double value() const;
  /// The same from the fastest repeat, which the roofline uses.
  [[nodiscard]] double best() const;
};

/// The ceilings with these names; empty: all.
[[nodiscard]] std::vector<MeasuredCeiling> measure_ceilings(const DeviceInfo& device, const Budget& budget,
                                                            const std::vector<std::string>& names = {});

}  // namespace vaecuda::bench
