#include "host/data/csv_reader.hpp"

#include <algorithm>
#include <cstring>

#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
// Far above the widest table (a million columns), far below what a file without line ends could take.
// With the cells' places these bound what a small compressed file can make of memory.
constexpr std::size_t kLongestRecord = std::size_t{16} << 20;
constexpr std::size_t kMostCells = std::size_t{1} << 20;

bool is_blank(std::span<const char> record) {
  return std::all_of(record.begin(), record.end(), [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

}  // namespace

CsvReader::CsvReader(ByteSource& source) : source_(source), buffer_(kBufferBytes) {
  const auto head = [this] { return std::string_view(buffer_.data() + begin_, end_ - begin_); };
  while (head().size() < kByteOrderMark.size() && refill()) {
  }
  if (head().substr(0, kByteOrderMark.size()) == kByteOrderMark) begin_ = kByteOrderMark.size();
  while (end_ < buffer_.size() && !has_two_lines(head()) && refill()) {
  }
  layout_ = find_layout(head());
  begin_ += layout_.begin;
  next_line_ = static_cast<std::int64_t>(layout_.first_line);
}

// Appends to the buffer; false at the end of the file.
bool CsvReader::refill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    if (end_ >= kLongestRecord) {
      fail(source_.path(),
           "line {} is longer than {}; expected a table, one line per row (is a quote left open?)",
           next_line_, readable_bytes(static_cast<double>(kLongestRecord)));
    }
    buffer_.resize(2 * end_);
  }
  // Chars and bytes may alias.
  auto* const to = reinterpret_cast<std::uint8_t*>(buffer_.data() + end_);  // NOLINT(*-reinterpret-cast)
  const std::size_t got = source_.read_some({to, buffer_.size() - end_});
  end_ += got;
  return got > 0;
}

// The next record without its line end; empty and with data() null at the end of the file.
std::span<char> CsvReader::take_record() {
  std::size_t scanned = 0;  // offsets from begin_, since a refill moves the buffer
  bool in_quotes = false;
  line_ = next_line_;
  while (true) {
    char* const start = buffer_.data() + begin_;
    char* const from = start + scanned;
    const std::size_t ready = end_ - begin_ - scanned;
    auto* const newline =
        ready > 0 ? static_cast<char*>(std::memchr(from, layout_.line_end, ready)) : nullptr;
    char* const stop = newline != nullptr ? newline : from + ready;
    // An even number of quotes lies before the end of a record: "" inside a cell counts two.
    if (stop > from && std::memchr(from, '"', static_cast<std::size_t>(stop - from)) != nullptr) {
      in_quotes = in_quotes != (std::count(from, stop, '"') % 2 == 1);
    }
    scanned = static_cast<std::size_t>(stop - start);
    if (newline != nullptr) {
      ++scanned;
      ++next_line_;
      if (in_quotes) continue;
      begin_ += scanned;
      return {start, scanned - 1};
    }
    if (!refill()) {
      if (in_quotes) fail(source_.path(), "line {}: a quote is opened and never closed", line_);
      char* const rest = buffer_.data() + begin_;  // the failed refill may have moved it
      begin_ = end_;
      return scanned == 0 ? std::span<char>() : std::span<char>(rest, scanned);
    }
  }
}

bool CsvReader::next() {
  std::span<char> record = take_record();
  if (record.data() == nullptr) return false;
  if (is_blank(record)) {
    // Blank lines at the end are habit; anywhere else a row may be lost.
    const std::int64_t blank_line = line_;
    while (record.data() != nullptr && is_blank(record)) record = take_record();
    if (record.data() == nullptr) return false;
    fail(source_.path(), "line {} is blank, and rows follow it; remove it", blank_line);
  }
  while (record.back() == '\r') record = record.first(record.size() - 1);
  layout_.is_blank ? split_at_blanks(record) : split(record);
  return true;
}

void CsvReader::split_at_blanks(std::span<char> record) {
  constexpr std::string_view kBlanks = " \t";
  cells_.clear();
  std::string_view rest(record.data(), record.size());
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    if (rest.empty()) return;
    if (cells_.size() == kMostCells)
      fail(source_.path(), "line {} has more than {} cells", line_, kMostCells);
    cells_.push_back(rest.substr(0, rest.find_first_of(kBlanks)));
    rest.remove_prefix(cells_.back().size());
  }
}

void CsvReader::split(std::span<char> record) {
  const char separator = layout_.separator;
  cells_.clear();
  char* at = record.data();
  char* const end = at + record.size();
  const auto is_space = [separator](char c) { return (c == ' ' || c == '\t') && c != separator; };
  while (true) {
    if (cells_.size() == kMostCells)
      fail(source_.path(), "line {} has more than {} cells", line_, kMostCells);
    while (at < end && is_space(*at)) ++at;
    if (at < end && *at == '"') {
      cells_.push_back(unquote(at, end));
      while (at < end && is_space(*at)) ++at;
      if (at < end && *at != separator) {
        fail(source_.path(), "line {}, cell {}: text behind the closing quote; expected {}{}", line_,
             cells_.size(), in_quotes(std::string_view(&separator, 1)),
             is_space(at[-1]) ? fmt::format(". {}", kBetweenBlanks) : "");
      }
    } else {
      char* const start = at;
      while (at < end && *at != separator) ++at;
      char* stop = at;
      while (stop > start && is_space(stop[-1])) --stop;
      cells_.emplace_back(start, static_cast<std::size_t>(stop - start));
    }
    if (at >= end) return;
    ++at;
  }
}

// Reads a quoted cell from its opening quote on, joining it in place, and leaves `at` behind the closing
// quote.
std::string_view CsvReader::unquote(char*& at, char* end) {
  char* const start = ++at;
  char* to = start;
  while (at < end) {
    if (*at == '"') {
      if (at + 1 < end && at[1] == '"') {
        ++at;
      } else {
        ++at;
        return {start, static_cast<std::size_t>(to - start)};
      }
    }
    *to++ = *at++;
  }
  fail(source_.path(), "line {}, cell {}: a quote is opened and never closed", line_, cells_.size() + 1);
}

}  // namespace vaecuda::data
