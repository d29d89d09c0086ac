// Sparse rows for tests, and what they are as dense ones.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "vaecuda/dataset.hpp"

namespace vaecuda::test {

/// The same values, kept sparse.
inline SparseRows sparse_of(const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
  std::vector<std::int64_t> row_begin = {0};
  std::vector<std::uint32_t> indices;
  std::vector<float> held;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const float value = values[static_cast<std::size_t>(row * columns + column)];
      if (value == 0.0f) continue;
      indices.push_back(static_cast<std::uint32_t>(column));
      held.push_back(value);
    }
    row_begin.push_back(static_cast<std::int64_t>(held.size()));
  }
  return SparseRows(std::move(row_begin), std::move(indices), std::move(held), columns);
}

/// All values of a data set, row-major, whatever it keeps them as.
inline std::vector<float> dense_of(const Dataset& data) {
  const auto width = static_cast<std::size_t>(data.columns());
  std::vector<float> values(static_cast<std::size_t>(data.rows()) * width);
  for (std::int64_t row = 0; row < data.rows(); ++row)
    data.copy_row(row, std::span(values).subspan(static_cast<std::size_t>(row) * width, width));
  return values;
}

/// Counts, most of them 0, the same ones everywhere; `most` is among the greatest.
inline std::vector<float> some_counts(std::int64_t rows, std::int64_t columns, std::uint32_t most) {
  std::vector<float> values(static_cast<std::size_t>(rows * columns), 0.0f);
  std::uint32_t state = 12345;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    if (state >> 29U == 0) value = static_cast<float>((state >> 8U) % (most + 1));
  }
  return values;
}

}  // namespace vaecuda::test
