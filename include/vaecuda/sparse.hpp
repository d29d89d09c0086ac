// Rows most of whose values are 0, in host memory: counts of genes in cells, of items in baskets.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "vaecuda/export.h"

namespace vaecuda {

/// A matrix by its values other than 0, row after row (CSR): those of row r stand at the places
/// row_begin()[r] to row_begin()[r + 1] − 1 of values(), their columns, ascending, at the same places of
/// column_indices(). Copies are deep. Thread safety: const members may be called concurrently.
class VAECUDA_API SparseRows {
 public:
  using ColumnIndices = std::variant<std::vector<std::uint16_t>, std::vector<std::uint32_t>>;
  using Values = std::variant<std::vector<std::uint8_t>, std::vector<std::uint16_t>, std::vector<float>>;

  SparseRows() = default;
  /// `row_begin` has one number for each row and one behind them. What is kept is the smallest that holds the
  /// matrix: zeros are dropped, columns are u16 where `columns` is 65,536 or less, values are u8 or u16 where
  /// all are whole numbers that it holds. \throws ConfigError naming row and column of an index that is out
  /// of range or not above the one before it, and for parts whose sizes do not fit together
  SparseRows(std::vector<std::int64_t> row_begin, ColumnIndices column_indices, Values values,
             std::int64_t columns);

  [[nodiscard]] std::int64_t rows() const {
    return row_begin_.empty() ? 0 : static_cast<std::int64_t>(row_begin_.size()) - 1;
  }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  /// How many values are not 0.
  [[nodiscard]] std::int64_t stored() const { return row_begin_.empty() ? 0 : row_begin_.back(); }
  /// Size of the three arrays in bytes.
  [[nodiscard]] std::int64_t bytes() const;

  [[nodiscard]] std::span<const std::int64_t> row_begin() const { return row_begin_; }
  [[nodiscard]] const ColumnIndices& column_indices() const { return column_indices_; }
  [[nodiscard]] const Values& values() const { return values_; }

  /// All values of a row, zeros included. `to` must hold columns() of them, and the row must exist.
  void copy_row(std::int64_t row, std::span<float> to) const;

 private:
  std::vector<std::int64_t> row_begin_;
  ColumnIndices column_indices_;
  Values values_;
  std::int64_t columns_ = 0;
};

}  // namespace vaecuda
