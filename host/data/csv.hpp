// Tables of numbers as text: one row per line, with or without a header line and a column of labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/bytes.hpp"
#include "host/data/csv_columns.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/labels.hpp"
#include "host/data/source_facts.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// The rows of a table one after the other. Memory: one record.
class CsvRows {
 public:
  /// Reads the first lines. `source` must outlive the rows. \throws FileError, ConfigError as read_csv
  CsvRows(ByteSource& source, const TableRequest& request);
  ~CsvRows();
  CsvRows(const CsvRows&) = delete;
  CsvRows& operator=(const CsvRows&) = delete;

  /// Columns without the labels'.
  [[nodiscard]] std::int64_t width() const;
  /// Of these columns; empty where there is no header.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has_labels() const;
  /// The name of the labels' column; empty without labels or without a header.
  [[nodiscard]] std::string label_column() const;
  /// What the first lines told.
  [[nodiscard]] SourceFacts facts() const;
  /// Moves to the next row; false at the end. \throws FileError as read_csv
  bool next();
  /// The row's numbers, and its label's text (empty without labels); valid until the next call of next().
  [[nodiscard]] std::span<const float> values() const;
  [[nodiscard]] std::string_view label() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads a table as f32.
/// \throws FileError naming line and column for a row of another length and a cell that is not a finite
/// number, ConfigError if the request's label_column names no column.
[[nodiscard]] LoadedRows read_csv(ByteSource& source, const TableRequest& request);

/// Reads a table of labels: the texts of its one column beside the index of the rows, or the numbers of
/// several as vectors. `columns` as DataSource::label_vector_columns. \throws FileError as read_csv
[[nodiscard]] LabelFile read_label_table(ByteSource& source, const std::vector<std::string>& columns);

/// How many cells the first record has; consumes nothing.
[[nodiscard]] std::size_t count_csv_cells(ByteSource& source);

/// Reads a file with one label per line, numbers or text. A first line too many is a header, as is a text
/// above numbers. \throws FileError for one that is a label like the others
[[nodiscard]] LabelFile read_label_csv(ByteSource& source, std::int64_t rows);

}  // namespace vaecuda::data
