#include "host/data/csv_layout.hpp"

#include <algorithm>
#include <cstdint>

#include "host/data/number.hpp"

namespace vaecuda::data {
namespace {

constexpr std::string_view kBlanks = " \t";

char find_line_end(std::string_view head) {
  const std::size_t feed = head.find('\n');
  const std::size_t carriage = head.substr(0, feed).find('\r');
  if (carriage == std::string_view::npos) return '\n';
  if (std::count(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(carriage), '"') % 2 == 1)
    return '\n';
  const std::size_t next = head.find_first_not_of('\r', carriage);
  return next == std::string_view::npos || head[next] == '\n' ? '\n' : '\r';
}

/// A line without its end, and where the next begins. A quoted cell may hold line ends.
struct Line {
  std::string_view text;
  std::size_t next = 0;
};
Line line_at(std::string_view head, std::size_t begin, char line_end) {
  bool is_quoted = false;
  std::size_t end = begin;
  while (end < head.size() && (is_quoted || head[end] != line_end)) is_quoted ^= head[end++] == '"';
  std::string_view text = head.substr(begin, end - begin);
  while (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return {text, std::min(end + 1, head.size())};
}

std::int64_t count_outside_quotes(std::string_view line, char wanted) {
  bool is_quoted = false;
  return std::count_if(line.begin(), line.end(), [&](char letter) {
    if (letter == '"') is_quoted = !is_quoted;
    return !is_quoted && letter == wanted;
  });
}

bool has_outside_quotes(std::string_view line, char wanted) {
  return count_outside_quotes(line, wanted) > 0;
}

struct Words {
  std::size_t count = 0;
  bool are_numbers = true;  ///< or missing values
};
Words words_of(std::string_view line) {
  Words words;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty()) return words;
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    float value = 0.0F;
    words.are_numbers &= parse_f32(line.substr(0, end), value) != NumberStatus::text;
    ++words.count;
    line.remove_prefix(end);
  }
}

/// Names may hold blanks, so lines are cut at them only where what is cut off are numbers.
bool falls_into_words(std::string_view first, std::string_view second) {
  if (has_outside_quotes(first, '"')) return false;
  const Words names = words_of(first);
  if (names.count < 2) return false;
  const Words numbers = words_of(second);
  if (names.are_numbers) return numbers.count == names.count || numbers.count == 0;
  return numbers.count == names.count && numbers.are_numbers;
}

/// "# a b c" above numbers is the header that numpy.savetxt writes.
bool is_named_comment(std::string_view line) {
  return line.size() > 2 && line[0] == '#' && (line[1] == ' ' || line[1] == '\t');
}

}  // namespace

bool has_two_lines(std::string_view head) {
  const char line_end = find_line_end(head);
  const std::size_t first = head.find(line_end);
  return first != std::string_view::npos && head.find(line_end, first + 1) != std::string_view::npos;
}

std::size_t count_cells(std::string_view head) {
  if (head.substr(0, kByteOrderMark.size()) == kByteOrderMark) head.remove_prefix(kByteOrderMark.size());
  const CsvLayout layout = find_layout(head);
  const std::string_view line = line_at(head, layout.begin, layout.line_end).text;
  if (layout.is_blank) return words_of(line).count;
  return static_cast<std::size_t>(count_outside_quotes(line, layout.separator)) + 1;
}

CsvLayout find_layout(std::string_view head) {
  CsvLayout layout;
  layout.line_end = find_line_end(head);
  constexpr std::size_t kSepLine = 5;  // "sep=" and the separator, which Excel writes and reads
  Line first = line_at(head, 0, layout.line_end);
  const std::string_view sep = first.text.substr(0, kSepLine - 1);
  if (first.text.size() == kSepLine && (sep == "sep=" || sep == "SEP=")) {
    layout.separator = first.text.back();
    layout.begin = first.next;
    layout.first_line = 2;
    return layout;
  }
  const Line second = line_at(head, first.next, layout.line_end);
  if (is_named_comment(first.text) && !second.text.empty() && second.text[0] != '#') {
    first.text.remove_prefix(2);
    layout.begin = 2;
  }
  for (const char separator : {'\t', ';', ',', '|'}) {
    if (!has_outside_quotes(first.text, separator)) continue;
    layout.separator = separator;
    return layout;
  }
  constexpr std::size_t kLongLine = std::size_t{100} << 10;
  if (first.next == head.size() && first.text.size() > kLongLine) {  // the last word may be cut
    first.text = first.text.substr(0, first.text.find_last_of(kBlanks));
  }
  layout.is_blank = falls_into_words(first.text, second.text);
  if (layout.is_blank) layout.separator = ' ';
  return layout;
}

}  // namespace vaecuda::data
