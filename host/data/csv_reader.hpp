// Cuts a CSV stream into records and cells (RFC 4180, with the separators of find_layout).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "host/data/bytes.hpp"
#include "host/data/csv_layout.hpp"

namespace vaecuda::data {

/// What to do about R's write.table, whose cells of text and numbers no other program's rules tell apart.
inline constexpr std::string_view kBetweenBlanks =
    "If blanks separate its cells, write the table with commas and without names of rows, as R does by "
    "write.csv(…, row.names=FALSE)";

/// Accepts LF, CRLF and CR, a UTF-8 byte order mark, quoted cells, and blank lines at the end. Memory: one
/// buffer, at least as long as the longest record.
class CsvReader {
 public:
  explicit CsvReader(ByteSource& source);

  /// Moves to the next record; false at the end of the file. \throws FileError for an unclosed quote, text
  /// behind a closing one, a blank line between records, or a record too long to be one.
  bool next();
  /// The record's cells without quotes and the spaces around them; valid until the next call of next().
  [[nodiscard]] std::span<const std::string_view> cells() const { return cells_; }
  /// The line on which the record begins, counted from 1.
  [[nodiscard]] std::int64_t line() const { return line_; }
  [[nodiscard]] const CsvLayout& layout() const { return layout_; }

 private:
  std::span<char> take_record();
  bool refill();
  void split(std::span<char> record);
  void split_at_blanks(std::span<char> record);
  std::string_view unquote(char*& at, char* end);

  ByteSource& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  CsvLayout layout_;
  std::int64_t line_ = 0;
  std::int64_t next_line_ = 1;
  std::vector<std::string_view> cells_;
};

}  // namespace vaecuda::data
