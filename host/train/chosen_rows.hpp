// The rows of a data set that the models of single columns look at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// How many there are: all, or 10,000 of more.
[[nodiscard]] inline std::int64_t chosen_rows(const Dataset& data) {
  constexpr std::int64_t kMostRows = 10'000;
  return std::min(data.rows(), kMostRows);
}

/// Calls `use(row)`, with the row's values as floats, for each of them, evenly spaced.
template <typename Use>
void for_each_chosen_row(const Dataset& data, Use&& use) {
  const std::int64_t chosen = chosen_rows(data);
  std::vector<float> row(static_cast<std::size_t>(data.columns()));
  for (std::int64_t i = 0; i < chosen; ++i) {
    data.copy_row(i * data.rows() / chosen, row);
    use(row);
  }
}

}  // namespace vaecuda
