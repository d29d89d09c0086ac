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
#include "host/data/label_builder.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// The rows of a table one after the other. Memory: one record.
class CsvRows {
 public:
  /// Reads the first lines. `source` must outlive the rows. \param label_column as in DataSource.
  /// \throws FileError, ConfigError as read_csv
  CsvRows(ByteSource& source, const std::string& label_column);
  ~CsvRows();
  CsvRows(const CsvRows&) = delete;
  CsvRows& operator=(const CsvRows&) = delete;

  /// Columns without the labels'.
  [[nodiscard]] std::int64_t width() const;
  /// Of these columns; empty where there is no header.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has_labels() const;
  /// Moves to the next row; false at the end. \throws FileError as read_csv
  bool next();
  /// The row's numbers, and its label's text (empty without labels); valid until the next call of next().
  [[nodiscard]] std::span<const float> values() const;
  [[nodiscard]] std::string_view label() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads a table as f32. \param label_column as in DataSource.
/// \throws FileError naming line and column for a row of another length and a cell that is not a finite
/// number, ConfigError if label_column names no column.
[[nodiscard]] Dataset read_csv(ByteSource& source, const std::string& label_column);

/// How many cells the first record has.
[[nodiscard]] std::size_t count_csv_cells(ByteSource& source);

/// Reads a file with one label per line, numbers or text. A first line too many is a header.
[[nodiscard]] Labels read_label_csv(ByteSource& source, std::int64_t rows);

}  // namespace vaecuda::data
