// All that is wrong with a table, told at once: by column and kind, with how often and where first.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "host/data/csv_columns.hpp"
#include "host/data/number.hpp"

namespace vaecuda::data {

/// Collects what is wrong while a table is read. Memory is bounded, however many cells are wrong.
class TableReport {
 public:
  /// A cell that is no number; `status` is not ok.
  void add_cell(std::size_t column, NumberStatus status, std::int64_t line, std::string_view text);
  void add_missing_label(std::size_t column, std::int64_t line, std::string_view text);
  /// A row with another number of cells than the first line has.
  void add_length(std::int64_t line, std::size_t cells, std::string_view last_cell);
  /// The rows cannot be read further than this.
  void add_end(std::string message) { end_ = std::move(message); }

  [[nodiscard]] bool is_empty() const { return problems_.empty() && lengths_.count == 0; }
  /// The sentence or sentences of the FileError. `rows` were looked at, up to line `last_line`; `is_whole`:
  /// there are no more.
  [[nodiscard]] std::string message(const CsvColumns& columns, char separator, std::int64_t rows,
                                    std::int64_t last_line, bool is_whole) const;

 private:
  enum class Kind { text, empty, missing, not_finite, too_large, inexact, label };
  struct Problem {
    std::int64_t count = 0;
    std::int64_t line = 0;            ///< of the first
    std::string first;                ///< its text
    std::set<std::string> different;  ///< texts, up to a few
  };
  struct Lengths {
    std::int64_t count = 0;
    std::int64_t line = 0;
    std::size_t cells = 0;      ///< of the first such row
    bool all_alike = true;      ///< all such rows have that many
    bool all_end_empty = true;  ///< with an empty last cell
  };
  using Problems = std::map<std::pair<std::size_t, Kind>, Problem>;

  void add(std::size_t column, Kind kind, std::int64_t line, std::string_view text);
  [[nodiscard]] std::string describe_one(const CsvColumns& columns, char separator,
                                         const Problems::value_type& problem, std::int64_t rows) const;
  [[nodiscard]] std::string describe_all(const CsvColumns& columns, const Problems::value_type& problem,
                                         std::int64_t rows) const;
  [[nodiscard]] std::string describe_lengths(const CsvColumns& columns, char separator,
                                             std::int64_t rows) const;
  [[nodiscard]] std::string advice(const CsvColumns& columns, const Problems::value_type& problem,
                                   std::int64_t rows) const;
  /// True if the column is the only one of several that holds text, and text alone of few kinds.
  [[nodiscard]] bool may_hold_labels(const CsvColumns& columns, const Problems::value_type& problem,
                                     std::int64_t rows) const;

  Problems problems_;
  std::int64_t further_cells_ = 0;  ///< in columns for which there was no more room
  Lengths lengths_;
  std::string end_;
};

}  // namespace vaecuda::data
