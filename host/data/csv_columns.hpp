// What the first lines of a CSV table tell: whether there is a header, what the columns are called, which
// holds labels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vaecuda::data {

struct CsvColumns {
  bool has_header = false;
  std::vector<std::string> names;    // of all columns; empty where there is no header
  std::size_t count = 0;             // of all columns, with the labels'
  std::optional<std::size_t> label;  // the column that holds labels

  /// How a message names a column: `column "x3"`, or `column 3 (counted from 0)`.
  [[nodiscard]] std::string describe(std::size_t column) const;
};

/// The column of a table with these names (or none) and this count that holds labels; label_column as in
/// DataSource. \throws ConfigError if label_column names no column
[[nodiscard]] std::optional<std::size_t> find_label_column(const std::string& path, const CsvColumns& columns,
                                                           const std::string& label_column);

/// \param first, second the first two records; `second` is empty where the file holds one only
/// \param label_column as in DataSource
/// \throws ConfigError if label_column names no column
[[nodiscard]] CsvColumns find_csv_columns(const std::string& path, const std::vector<std::string>& first,
                                          std::span<const std::string_view> second,
                                          const std::string& label_column);

}  // namespace vaecuda::data
