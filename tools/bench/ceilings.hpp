// The ceilings of a device, measured.
#pragma once

#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "host/plan/machine.hpp"

namespace vaecuda::bench {

/// What one ceiling came to.
struct MeasuredCeiling {
  Ceiling ceiling;
  Measurement time;  ///< of one repeat of its work; nothing where the device refused
  /// Bytes or operations per second, or the seconds of one event.
  [[nodiscard]] double value() const;
  /// The same from the fastest repeat: what a roofline is drawn from.
  [[nodiscard]] double best() const;
};

/// Those of these names; empty: all.
[[nodiscard]] std::vector<MeasuredCeiling> measure_ceilings(const DeviceInfo& device, const Budget& budget,
                                                            const std::vector<std::string>& names = {});

}  // namespace vaecuda::bench
