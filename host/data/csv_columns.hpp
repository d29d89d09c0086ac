// What the first lines of a CSV table tell: whether there is a header, what the columns are called, which
// holds labels, and which hold no values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/data/csv_sample.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// How a table is asked to be read: the fields of DataSource.
struct TableRequest {
  TableRequest() = default;
  explicit TableRequest(const DataSource& source)
      : label_column(source.label_column),
        header(source.header),
        label_column_may_lack(source.label_column_may_lack),
        value_columns(source.value_columns) {}
  std::string label_column;
  HeaderMode header = HeaderMode::automatic;
  bool label_column_may_lack = false;
  std::vector<std::string> value_columns;
  /// The table is a file of labels: what it holds beside the index of its rows are the labels, the text of
  /// one column or the numbers of several.
  bool are_labels = false;
};

/// Columns are counted from 0, those left out and the labels' included.
struct CsvColumns {
  bool has_header = false;
  std::vector<std::string> names;    ///< of all columns; empty where there is no header
  std::size_t count = 0;             ///< of all columns
  std::size_t begin = 0;             ///< the first that is read: 1 where the first numbers the rows
  bool ends_in_separator = false;    ///< rows may have a cell more than columns, which is empty
  std::optional<std::size_t> label;  ///< the column that holds labels
  std::vector<bool> is_passed;       ///< columns whose cells are not read; empty: all are read
  bool are_labels = false;           ///< as the request has it
  bool may_name_label = true;        ///< whoever asked did not say that no column holds labels
  std::vector<std::string> warnings;

  /// How a message names a column: `column "x3"`, or `column 3 (counted from 0)`.
  [[nodiscard]] std::string describe(std::size_t column) const;
  /// Whether the cells of the column are not read; the labels' column may be one of them.
  [[nodiscard]] bool passes(std::size_t column) const;
  /// Whether the columns that are read are those that somebody wants by their names.
  [[nodiscard]] bool is_wanted() const { return !is_passed.empty(); }
  /// What --label-column takes for a column: its name, its index where it has none of its own.
  [[nodiscard]] std::string label_word(std::size_t column) const;
};

/// The column of a table with these names (or none) and this count that holds labels; as the request has
/// it. \throws ConfigError if its label_column names no column
[[nodiscard]] std::optional<std::size_t> find_label_column(const std::string& path, const CsvColumns& columns,
                                                           const TableRequest& request);

/// \throws ConfigError if the request's label_column names no column; FileError as find_header
[[nodiscard]] CsvColumns find_csv_columns(const std::string& path, const CsvSample& sample,
                                          const TableRequest& request);

}  // namespace vaecuda::data
