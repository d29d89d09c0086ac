// What is measured of all values of a data set before training, where the rows are: in the host's memory or
// in a device's. All is an order, a count or a sum over the rows in their order, so that every implementation
// gives the same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/math/value_statistics.h"

namespace vaecuda {

/// "Scaled": the raw value times a factor, in float.
class ValueStatistics {
 public:
  virtual ~ValueStatistics() = default;
  /// Of the raw values, which are finite.
  [[nodiscard]] virtual math::ValueTotals totals() const = 0;
  /// Row-major index of the first scaled value that is not in [least, most]; NaN is in no range.
  [[nodiscard]] virtual std::optional<std::int64_t> first_outside(float scale, float least,
                                                                  float most) const = 0;
  /// Of the scaled values of every column.
  [[nodiscard]] virtual std::vector<math::ColumnMoments> columns(float scale) const = 0;
};

}  // namespace vaecuda
