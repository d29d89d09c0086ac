// From the entries of a file, in whatever order it has them, to sparse rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/source_facts.hpp"
#include "vaecuda/sparse.hpp"

namespace vaecuda::data {

/// What a format says of an entry that stands twice.
enum class Repeated { summed, refused };

/// Rows whose columns may be in any order and stand several times; the parts otherwise fit together, as
/// SparseRows has them.
struct UnorderedRows {
  std::vector<std::int64_t> row_begin;
  SparseRows::ColumnIndices columns;
  SparseRows::Values values;
  std::int64_t width = 0;
};

/// Entries one by one, in any order, inside rows × width.
struct Entries {
  std::vector<std::uint32_t> rows;
  SparseRows::ColumnIndices columns;
  SparseRows::Values values;
  std::int64_t row_count = 0;
  std::int64_t width = 0;
};

struct OrderedRows {
  SparseRows rows;
  std::int64_t sorted = 0;   ///< rows whose columns were not in order
  std::int64_t summed = 0;   ///< entries that were added to another one
  std::int64_t entries = 0;  ///< that there were, zeros among them
};

/// \throws FileError naming row and column of an entry that is refused, or whose sum no float holds
[[nodiscard]] OrderedRows order_rows(UnorderedRows rows, Repeated repeated, const std::string& path);
/// The same; entries without rows have no order that could be wrong. \throws OutOfMemoryError as well
[[nodiscard]] OrderedRows order_entries(Entries entries, Repeated repeated, const std::string& path);

/// Whether 16 bits hold the columns of so wide a matrix.
[[nodiscard]] inline bool has_narrow_columns(std::int64_t width) {
  return width <= 65536;
}

/// The most rows that a matrix of so many entries can be believed to have: a row without entries costs memory
/// that no byte of a file stands for.
[[nodiscard]] inline std::int64_t most_rows(std::int64_t entries) {
  return (std::int64_t{1} << 20) + 64 * entries;
}

/// The data set and the line about it: "`what`, uint8 values, 1.5 % of them not 0".
[[nodiscard]] LoadedRows load_sparse(OrderedRows ordered, std::string_view what);

}  // namespace vaecuda::data
