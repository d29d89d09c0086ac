// The values of a data set one after the other.
#pragma once

#include <cstdint>

#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// Calls `use(row, column, value)` for every scaled value until it returns false.
template <typename Use>
void for_each_value(const Dataset& data, float scale, Use&& use) {
  const std::int64_t columns = data.columns();
  const auto walk = [&](const auto& values) {
    for (std::int64_t row = 0; row < data.rows(); ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const auto raw = static_cast<float>(values[static_cast<std::size_t>(row * columns + column)]);
        if (!use(row, column, raw * scale)) return;
      }
    }
  };
  data.type() == ElementType::u8 ? walk(data.u8()) : walk(data.f32());
}

}  // namespace vaecuda
