// What is measured of the values of a data set in the host's memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/plan/value_statistics.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// By one thread. The data set must outlive it.
class HostValues final : public ValueStatistics {
 public:
  explicit HostValues(const Dataset& rows) : rows_(rows) {}
  [[nodiscard]] math::ValueTotals totals() const override;
  [[nodiscard]] std::optional<std::int64_t> first_outside(float scale, float least,
                                                          float most) const override;
  [[nodiscard]] std::vector<math::ColumnMoments> columns(float scale) const override;

 private:
  const Dataset& rows_;
};

}  // namespace vaecuda::data
