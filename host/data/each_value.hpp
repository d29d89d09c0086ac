// The values of a data set one after the other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/data/sparse.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// Calls `use(row, column, value)` for every scaled value that is stored, row by row and in each by ascending
/// columns, until it returns false. Values of sparse rows that it is not called for are 0.
template <typename Use>
void for_each_stored_value(const Dataset& data, float scale, Use&& use) {
  const std::int64_t columns = data.columns();
  const auto walk = [&](const auto& values) {
    for (std::int64_t row = 0; row < data.rows(); ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const auto raw = static_cast<float>(values[static_cast<std::size_t>(row * columns + column)]);
        if (!use(row, column, raw * scale)) return;
      }
    }
  };
  switch (data.type()) {
    case ElementType::u8:
      return walk(data.u8());
    case ElementType::f32:
      return walk(data.f32());
    case ElementType::sparse:
      break;
  }
  data::with_arrays(data.sparse(), [&](auto indices, auto values) {
    std::size_t i = 0;
    for (std::int64_t row = 0; row < data.rows(); ++row) {
      const auto end = static_cast<std::size_t>(data.sparse().row_begin()[static_cast<std::size_t>(row) + 1]);
      for (; i < end; ++i) {
        if (!use(row, static_cast<std::int64_t>(indices[i]), static_cast<float>(values[i]) * scale)) return;
      }
    }
  });
}

}  // namespace vaecuda
