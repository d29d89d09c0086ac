#include "host/data/sparse.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "host/data/message.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kMostColumns = std::int64_t{1} << 32;
constexpr std::int64_t kMostNarrowColumns = std::int64_t{1} << 16;

template <class To, class From>
std::vector<To> converted(std::vector<From>& from) {
  if constexpr (std::is_same_v<To, From>) {
    return std::move(from);
  } else {
    std::vector<To> to(from.size());
    std::transform(from.begin(), from.end(), to.begin(), [](From value) { return static_cast<To>(value); });
    return to;
  }
}

void check_sizes(std::span<const std::int64_t> row_begin, std::size_t indices, std::size_t values,
                 std::int64_t columns) {
  const auto refuse = [](const std::string& what) { throw ConfigError("sparse rows: " + what); };
  if (columns < 1 || columns > kMostColumns)
    refuse(fmt::format("{} columns; expected at least 1 and at most {}", columns, kMostColumns));
  if (row_begin.empty() || row_begin.front() != 0)
    refuse("the rows' beginnings must start with 0, and have one more number than there are rows");
  const auto fall = std::is_sorted_until(row_begin.begin(), row_begin.end());
  if (fall != row_begin.end()) {
    const auto row = fall - row_begin.begin() - 1;
    refuse(
        fmt::format("row {} begins at {} and ends at {}; beginnings must not fall", row, *(fall - 1), *fall));
  }
  if (indices != values || row_begin.back() != static_cast<std::int64_t>(values)) {
    refuse(fmt::format("{} column indices and {} values for rows that end at {}; expected the same number",
                       indices, values, row_begin.back()));
  }
  if (static_cast<std::int64_t>(row_begin.size()) > std::numeric_limits<std::int64_t>::max() / columns)
    refuse(fmt::format("{} rows of {} columns are more values than can be counted", row_begin.size() - 1,
                       columns));
}

template <class Column>
void check_columns(std::span<const std::int64_t> row_begin, const std::vector<Column>& indices,
                   std::int64_t columns) {
  for (std::size_t row = 0; row + 1 < row_begin.size(); ++row) {
    std::int64_t before = -1;
    for (std::int64_t i = row_begin[row]; i < row_begin[row + 1]; ++i) {
      const auto column = static_cast<std::int64_t>(indices[static_cast<std::size_t>(i)]);
      if (column >= columns) {
        throw ConfigError(
            fmt::format("sparse rows: row {} has a value in column {}, but the rows have {} "
                        "(counted from 0)",
                        row, column, data::counted(columns, "column")));
      }
      if (column <= before) {
        throw ConfigError(
            fmt::format("sparse rows: row {} has column {} behind column {}; expected ascending "
                        "columns, each once",
                        row, column, before));
      }
      before = column;
    }
  }
}

template <class Column, class Value>
void drop_zeros(std::vector<std::int64_t>& row_begin, std::vector<Column>& indices,
                std::vector<Value>& values) {
  if (std::find(values.begin(), values.end(), Value{0}) == values.end()) return;
  std::size_t kept = 0;
  std::size_t at = 0;
  for (std::size_t row = 0; row + 1 < row_begin.size(); ++row) {
    const auto end = static_cast<std::size_t>(row_begin[row + 1]);
    for (; at < end; ++at) {
      if (values[at] == Value{0}) continue;
      values[kept] = values[at];
      indices[kept++] = indices[at];
    }
    row_begin[row + 1] = static_cast<std::int64_t>(kept);
  }
  values.resize(kept);
  values.shrink_to_fit();
  indices.resize(kept);
  indices.shrink_to_fit();
}

/// In the smallest type that holds all of them.
SparseRows::Values narrowed(SparseRows::Values values) {
  float most = 0.0f;
  const auto is_count = [&most](auto value) {
    if constexpr (std::is_same_v<decltype(value), float>) {
      if (!(value >= 0.0f && value <= 65535.0f) || value != static_cast<float>(static_cast<int>(value)))
        return false;
    }
    most = std::max(most, static_cast<float>(value));
    return true;
  };
  return std::visit(
      [&](auto& held) -> SparseRows::Values {
        if (!std::all_of(held.begin(), held.end(), is_count)) return std::move(held);
        if (most <= 255.0f) return converted<std::uint8_t>(held);
        return converted<std::uint16_t>(held);
      },
      values);
}

}  // namespace

SparseRows::SparseRows(std::vector<std::int64_t> row_begin, ColumnIndices column_indices, Values values,
                       std::int64_t columns)
    : row_begin_(std::move(row_begin)), columns_(columns) {
  std::visit(
      [&](auto& indices, auto& held) {
        check_sizes(row_begin_, indices.size(), held.size(), columns);
        check_columns(row_begin_, indices, columns);
        drop_zeros(row_begin_, indices, held);
      },
      column_indices, values);
  values_ = narrowed(std::move(values));
  const bool is_narrow = columns <= kMostNarrowColumns;
  if (is_narrow == std::holds_alternative<std::vector<std::uint16_t>>(column_indices)) {
    column_indices_ = std::move(column_indices);
  } else if (is_narrow) {
    column_indices_ = converted<std::uint16_t>(std::get<std::vector<std::uint32_t>>(column_indices));
  } else {
    column_indices_ = converted<std::uint32_t>(std::get<std::vector<std::uint16_t>>(column_indices));
  }
}

std::int64_t SparseRows::bytes() const {
  auto size = static_cast<std::int64_t>(row_begin_.size() * sizeof(std::int64_t));
  data::with_arrays(*this, [&size](auto columns, auto values) {
    size += static_cast<std::int64_t>(columns.size_bytes() + values.size_bytes());
  });
  return size;
}

void SparseRows::copy_row(std::int64_t row, std::span<float> to) const {
  std::fill(to.begin(), to.end(), 0.0f);
  const std::int64_t begin = row_begin_[static_cast<std::size_t>(row)];
  const std::int64_t end = row_begin_[static_cast<std::size_t>(row) + 1];
  data::with_arrays(*this, [&](auto columns, auto values) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      to[columns[i]] = static_cast<float>(values[i]);
  });
}

namespace data {

SparseRows select_rows(const SparseRows& from, std::span<const std::int64_t> rows) {
  const std::span<const std::int64_t> old_begin = from.row_begin();
  std::vector<std::int64_t> begin = {0};
  begin.reserve(rows.size() + 1);
  for (const std::int64_t row : rows) {
    const auto r = static_cast<std::size_t>(row);
    begin.push_back(begin.back() + old_begin[r + 1] - old_begin[r]);
  }
  SparseRows selected;
  with_arrays(from, [&](auto columns, auto values) {
    std::vector<typename decltype(columns)::value_type> new_columns;
    std::vector<typename decltype(values)::value_type> new_values;
    new_columns.reserve(static_cast<std::size_t>(begin.back()));
    new_values.reserve(static_cast<std::size_t>(begin.back()));
    for (const std::int64_t row : rows) {
      const auto first = static_cast<std::size_t>(old_begin[static_cast<std::size_t>(row)]);
      const auto count = static_cast<std::size_t>(old_begin[static_cast<std::size_t>(row) + 1]) - first;
      const auto some_columns = columns.subspan(first, count);
      const auto some_values = values.subspan(first, count);
      new_columns.insert(new_columns.end(), some_columns.begin(), some_columns.end());
      new_values.insert(new_values.end(), some_values.begin(), some_values.end());
    }
    selected = SparseRows(std::move(begin), std::move(new_columns), std::move(new_values), from.columns());
  });
  return selected;
}

SparseRows select_columns(const SparseRows& from, std::span<const std::int64_t> columns) {
  // For each old column its first new place, and for each new place the next one of the same old column.
  constexpr std::int64_t kNone = -1;
  std::vector<std::int64_t> place(static_cast<std::size_t>(from.columns()), kNone);
  std::vector<std::int64_t> next(columns.size(), kNone);
  for (std::size_t i = columns.size(); i-- > 0;) {
    std::int64_t& first = place[static_cast<std::size_t>(columns[i])];
    next[i] = std::exchange(first, static_cast<std::int64_t>(i));
  }
  const std::span<const std::int64_t> old_begin = from.row_begin();
  std::vector<std::int64_t> begin = {0};
  begin.reserve(old_begin.size());
  SparseRows selected;
  with_arrays(from, [&](auto old_columns, auto values) {
    using Value = typename decltype(values)::value_type;
    std::vector<std::uint32_t> new_columns;
    std::vector<Value> new_values;
    std::vector<std::pair<std::uint32_t, Value>> row;
    for (std::size_t r = 0; r + 1 < old_begin.size(); ++r) {
      row.clear();
      for (auto i = static_cast<std::size_t>(old_begin[r]); i < static_cast<std::size_t>(old_begin[r + 1]);
           ++i) {
        for (std::int64_t at = place[old_columns[i]]; at != kNone; at = next[static_cast<std::size_t>(at)])
          row.emplace_back(static_cast<std::uint32_t>(at), values[i]);
      }
      std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      for (const auto& [column, value] : row) {
        new_columns.push_back(column);
        new_values.push_back(value);
      }
      begin.push_back(static_cast<std::int64_t>(new_values.size()));
    }
    selected = SparseRows(std::move(begin), std::move(new_columns), std::move(new_values),
                          static_cast<std::int64_t>(columns.size()));
  });
  return selected;
}

std::string_view value_type(const SparseRows& rows) {
  constexpr std::array<std::string_view, 3> kNames = {"uint8", "uint16", "float32"};
  return kNames[rows.values().index()];
}

}  // namespace data
}  // namespace vaecuda
