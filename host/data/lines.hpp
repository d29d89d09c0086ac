// Text read line by line.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "host/data/bytes.hpp"

namespace vaecuda::data {

/// Accepts LF and CRLF, and a UTF-8 byte order mark. Memory: one buffer, as long as the longest line.
class LineReader {
 public:
  explicit LineReader(ByteSource& source) : source_(source) {}

  /// Moves to the next line; false at the end of the file. \throws FileError for a line of more than 16 MiB
  bool next();
  /// Without its end; valid until the next call of next().
  [[nodiscard]] std::string_view line() const { return line_; }
  /// Counted from 1.
  [[nodiscard]] std::int64_t number() const { return number_; }

 private:
  bool refill();

  ByteSource& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string_view line_;
  std::int64_t number_ = 0;
};

/// Cuts the next word, which blanks end, off the front of a line; empty where there is none.
std::string_view next_word(std::string_view& line);

}  // namespace vaecuda::data
