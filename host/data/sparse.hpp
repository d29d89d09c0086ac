// What is done with sparse rows inside the library.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "vaecuda/sparse.hpp"

namespace vaecuda::data {

/// Calls `use(columns, values)` with the two arrays as spans of what they hold.
template <typename Use>
void with_arrays(const SparseRows& rows, Use&& use) {
  std::visit([&](const auto& columns, const auto& values) { use(std::span(columns), std::span(values)); },
             rows.column_indices(), rows.values());
}

/// The given rows or columns, in that order. The indices must exist.
[[nodiscard]] SparseRows select_rows(const SparseRows& from, std::span<const std::int64_t> rows);
[[nodiscard]] SparseRows select_columns(const SparseRows& from, std::span<const std::int64_t> columns);

/// Type of the values, as NumPy calls it.
[[nodiscard]] std::string_view value_type(const SparseRows& rows);

}  // namespace vaecuda::data
