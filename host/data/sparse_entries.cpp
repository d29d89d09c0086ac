#include "host/data/sparse_entries.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <variant>

#include "host/data/message.hpp"
#include "host/data/sparse.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

/// Sorts the columns of a row with their values. Gives whether it had to.
template <class Column, class Value>
bool sort_row(std::span<Column> columns, std::span<Value> values,
              std::vector<std::pair<Column, Value>>& room) {
  if (std::is_sorted(columns.begin(), columns.end())) return false;
  room.clear();
  for (std::size_t i = 0; i < columns.size(); ++i) room.emplace_back(columns[i], values[i]);
  std::stable_sort(room.begin(), room.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = room[i].first;
    values[i] = room[i].second;
  }
  return true;
}

/// Sums entries of the same row and column, which stand side by side. Gives how many are gone.
template <class Column>
std::int64_t sum_repeated(std::vector<std::int64_t>& row_begin, std::vector<Column>& columns,
                          std::vector<float>& values, const std::string& path) {
  std::size_t kept = 0;
  std::size_t at = 0;
  for (std::size_t row = 0; row + 1 < row_begin.size(); ++row) {
    const auto end = static_cast<std::size_t>(row_begin[row + 1]);
    while (at < end) {
      const Column column = columns[at];
      double sum = 0.0;
      for (; at < end && columns[at] == column; ++at) sum += static_cast<double>(values[at]);
      if (std::abs(sum) > static_cast<double>(std::numeric_limits<float>::max())) {
        fail(path,
             "row {}, column {} (counted from 0): its entries sum to {}, which is too large for a 32-bit "
             "float",
             row, column, sum);
      }
      columns[kept] = column;
      values[kept++] = static_cast<float>(sum);
    }
    row_begin[row + 1] = static_cast<std::int64_t>(kept);
  }
  const auto gone = static_cast<std::int64_t>(columns.size() - kept);
  columns.resize(kept);
  values.resize(kept);
  return gone;
}

}  // namespace

OrderedRows order_rows(UnorderedRows rows, Repeated repeated, const std::string& path) {
  OrderedRows result;
  bool has_repeated = false;
  std::visit(
      [&](auto& columns, auto& values) {
        using Column = typename std::remove_reference_t<decltype(columns)>::value_type;
        using Value = typename std::remove_reference_t<decltype(values)>::value_type;
        result.entries = static_cast<std::int64_t>(values.size());
        std::vector<std::pair<Column, Value>> room;
        for (std::size_t row = 0; row + 1 < rows.row_begin.size(); ++row) {
          const auto begin = static_cast<std::size_t>(rows.row_begin[row]);
          const auto count = static_cast<std::size_t>(rows.row_begin[row + 1]) - begin;
          const auto some = std::span(columns).subspan(begin, count);
          if (sort_row(some, std::span(values).subspan(begin, count), room)) ++result.sorted;
          const auto twice = std::adjacent_find(some.begin(), some.end());
          if (twice == some.end()) continue;
          has_repeated = true;
          if (repeated == Repeated::summed) continue;
          fail(path,
               "row {} has column {} twice (both counted from 0); expected each entry once (SciPy: "
               "x.sum_duplicates())",
               row, *twice);
        }
        if (!has_repeated) return;
        std::vector<float> floats(values.begin(), values.end());
        result.summed = sum_repeated(rows.row_begin, columns, floats, path);
        rows.values = std::move(floats);
      },
      rows.columns, rows.values);
  result.rows =
      SparseRows(std::move(rows.row_begin), std::move(rows.columns), std::move(rows.values), rows.width);
  return result;
}

OrderedRows order_entries(Entries entries, Repeated repeated, const std::string& path) {
  UnorderedRows rows;
  rows.width = entries.width;
  reserve_elements(rows.row_begin, entries.row_count + 1, path);
  rows.row_begin.resize(static_cast<std::size_t>(entries.row_count) + 1);
  for (const std::uint32_t row : entries.rows) ++rows.row_begin[row + std::size_t{1}];
  for (std::size_t row = 1; row < rows.row_begin.size(); ++row)
    rows.row_begin[row] += rows.row_begin[row - 1];
  std::visit(
      [&](auto& columns, auto& values) {
        using Column = typename std::remove_reference_t<decltype(columns)>::value_type;
        using Value = typename std::remove_reference_t<decltype(values)>::value_type;
        std::vector<Column> placed_columns;
        std::vector<Value> placed_values;
        reserve_elements(placed_columns, static_cast<std::int64_t>(columns.size()), path);
        reserve_elements(placed_values, static_cast<std::int64_t>(values.size()), path);
        placed_columns.resize(columns.size());
        placed_values.resize(values.size());
        std::vector<std::int64_t> next(rows.row_begin.begin(), rows.row_begin.end() - 1);
        for (std::size_t i = 0; i < entries.rows.size(); ++i) {
          const auto place = static_cast<std::size_t>(next[entries.rows[i]]++);
          placed_columns[place] = columns[i];
          placed_values[place] = values[i];
        }
        rows.columns = std::move(placed_columns);
        rows.values = std::move(placed_values);
      },
      entries.columns, entries.values);
  entries = Entries();
  OrderedRows ordered = order_rows(std::move(rows), repeated, path);
  ordered.sorted = 0;
  return ordered;
}

LoadedRows load_sparse(OrderedRows ordered, std::string_view what) {
  const double all = static_cast<double>(ordered.rows.rows()) * static_cast<double>(ordered.rows.columns());
  std::string content = fmt::format("{}, {} values, {:.3g} % of them not 0", what, value_type(ordered.rows),
                                    100.0 * static_cast<double>(ordered.rows.stored()) / std::max(all, 1.0));
  if (ordered.sorted > 0)
    content += fmt::format(", columns of {} put in order", counted(ordered.sorted, "row"));
  if (ordered.summed > 0)
    content +=
        fmt::format(", {} added to others of the same place", counted(ordered.summed, "repeated value"));
  const std::int64_t zeros = ordered.entries - ordered.summed - ordered.rows.stored();
  if (zeros > 0) content += fmt::format(", {} dropped", counted(zeros, "stored zero"));
  return {Dataset(std::move(ordered.rows)), {std::move(content), "", {}}};
}

}  // namespace vaecuda::data
