// How a CSV file is laid out: what ends its lines and what stands between its cells.
#pragma once

#include <cstddef>
#include <string_view>

namespace vaecuda::data {

inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // of UTF-8

struct CsvLayout {
  char line_end = '\n';  ///< '\r' where no line feed follows
  char separator = ',';
  bool is_blank = false;       ///< any number of blanks stands between cells; `separator` is ' '
  std::size_t begin = 0;       ///< bytes before the first record: a line "sep=;", a comment sign
  std::size_t first_line = 1;  ///< the line on which the first record begins
};

/// Tells the layout from the first bytes of a file, without its byte order mark: at least its first two
/// lines, or all of it. The separator is that of a first line "sep=;", else a tab if the first line has one
/// outside quotes, else ';', ',' or '|', else blanks where the lines fall into numbers alike.
[[nodiscard]] CsvLayout find_layout(std::string_view head);

/// How many cells the first line of `head` has, which may begin with a byte order mark.
[[nodiscard]] std::size_t count_cells(std::string_view head);

/// True if `head` holds two whole lines, whatever ends them.
[[nodiscard]] bool has_two_lines(std::string_view head);

}  // namespace vaecuda::data
