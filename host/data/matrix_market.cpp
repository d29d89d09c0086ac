#include "host/data/matrix_market.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "host/data/format.hpp"
#include "host/data/lines.hpp"
#include "host/data/message.hpp"
#include "host/data/number.hpp"
#include "host/data/sparse_entries.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

constexpr std::string_view kMagic = "%%matrixmarket";

std::string lowered(std::string_view text) {
  std::string letters(text);
  for (char& letter : letters)
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  return letters;
}

[[noreturn]] void refuse(const ByteSource& source, const LineReader& lines, const std::string& why) {
  fail(source.path(), "line {}: {}", lines.number(), why);
}

struct Banner {
  bool is_coordinate = false;
  bool is_pattern = false;
  std::string field;
};

Banner read_banner(const ByteSource& source, LineReader& lines) {
  lines.next();
  std::string_view line = lines.line();
  static_cast<void>(next_word(line));
  if (lowered(next_word(line)) != "matrix") refuse(source, lines, "is no Matrix Market file of a matrix");
  Banner banner;
  const std::string layout = lowered(next_word(line));
  banner.is_coordinate = layout == "coordinate";
  if (!banner.is_coordinate && layout != "array")
    refuse(source, lines, fmt::format("the layout is {}; expected coordinate or array", in_quotes(layout)));
  banner.field = lowered(next_word(line));
  banner.is_pattern = banner.field == "pattern" && banner.is_coordinate;
  if (!banner.is_pattern && banner.field != "real" && banner.field != "integer" && banner.field != "double")
    refuse(source, lines,
           fmt::format("the entries are {}; expected real, integer{}", in_quotes(banner.field),
                       banner.is_coordinate ? " or pattern" : ""));
  const std::string symmetry = lowered(next_word(line));
  if (symmetry != "general") {
    refuse(
        source, lines,
        fmt::format("the matrix is {}; expected general: rows of data and their columns are different things",
                    in_quotes(symmetry)));
  }
  return banner;
}

/// The whole number in the next word. \throws FileError unless it lies in [least, most]
std::int64_t read_number(const ByteSource& source, const LineReader& lines, std::string_view& line,
                         std::int64_t least, std::int64_t most, std::string_view what) {
  const std::string_view word = next_word(line);
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (word.empty()) refuse(source, lines, fmt::format("{} is missing", what));
  if (status == std::errc::invalid_argument || end != word.data() + word.size())
    refuse(source, lines, fmt::format("{} is {}; expected a whole number", what, in_quotes(word)));
  if (status != std::errc() || number < least || number > most)
    refuse(source, lines, fmt::format("{} is {}; expected {} to {}", what, in_quotes(word), least, most));
  return number;
}

float read_value(const ByteSource& source, const LineReader& lines, std::string_view& line) {
  const std::string_view word = next_word(line);
  if (word.empty()) refuse(source, lines, "the value is missing");
  float value = 0.0f;
  const NumberStatus status = parse_f32(word, value);
  if (status != NumberStatus::ok) {
    refuse(source, lines, fmt::format("the value {} {}", in_quotes(word), complaint(status)));
  }
  return value;
}

void expect_line_end(const ByteSource& source, const LineReader& lines, std::string_view line) {
  const std::string_view word = next_word(line);
  if (!word.empty()) refuse(source, lines, fmt::format("{} follows the entry", in_quotes(word)));
}

bool is_blank(std::string_view line) {
  return next_word(line).empty();
}

/// The next line with content. \throws FileError at the end of the file, where `left` more were to come
void next_entry(const ByteSource& source, LineReader& lines, std::int64_t done, std::int64_t all) {
  while (lines.next()) {
    if (!is_blank(lines.line())) return;
  }
  fail(source.path(),
       "ends after {} of its {}: it is truncated, or its header is wrong. Download or write it again", done,
       counted(all, "value"));
}

void expect_file_end(const ByteSource& source, LineReader& lines, std::int64_t entries) {
  while (lines.next()) {
    if (!is_blank(lines.line())) {
      refuse(source, lines,
             fmt::format("an entry follows the last of the {} that the header promises", entries));
    }
  }
}

/// The lines that say how large the matrix is, comments in front of it left out.
struct Size {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t entries = 0;
  bool is_tenx = false;  ///< a comment says that Cell Ranger has written it
};
Size read_size(const ByteSource& source, LineReader& lines, const Banner& banner, bool turned) {
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  Size size;
  while (true) {
    if (!lines.next()) fail(source.path(), "ends before the size of its matrix: it is truncated");
    size.is_tenx = size.is_tenx || lines.line().starts_with("%metadata_json:");
    if (!lines.line().starts_with('%') && !is_blank(lines.line())) break;
  }
  std::string_view line = lines.line();
  size.rows = read_number(source, lines, line, 1, kMost, "the number of rows");
  size.columns = read_number(source, lines, line, 1, kMost, "the number of columns");
  if (size.rows > std::numeric_limits<std::int64_t>::max() / size.columns)
    refuse(source, lines, "the matrix has more values than can be counted");
  const std::int64_t all = size.rows * size.columns;
  // An entry has at least a digit for each of its numbers, and what ends each; the last line may lack its
  // end.
  const std::int64_t shortest = banner.is_coordinate ? (banner.is_pattern ? 4 : 6) : 2;
  size.entries = banner.is_coordinate
                     ? read_number(source, lines, line, 0, std::numeric_limits<std::int64_t>::max(),
                                   "the number of entries")
                     : all;
  expect_line_end(source, lines, line);
  if (size.entries > source.size_limit() / shortest + 1) {
    refuse(source, lines,
           fmt::format(
               "the header promises {}, more than the file can hold: it is truncated, or the header is wrong",
               counted(size.entries, "value")));
  }
  const std::int64_t rows = turned ? size.columns : size.rows;
  if (banner.is_coordinate && rows > most_rows(size.entries)) {
    refuse(source, lines,
           fmt::format("the header says {} for {}; so few are no rows of data",
                       counted(rows, turned ? "column" : "row"), counted(size.entries, "value")));
  }
  return size;
}

Entries read_entries(const ByteSource& source, LineReader& lines, const Banner& banner, const Size& size,
                     bool turned) {
  BlockList<std::uint32_t> rows;
  BlockList<std::uint32_t> columns;
  BlockList<float> values;
  for (std::int64_t i = 0; i < size.entries; ++i) {
    next_entry(source, lines, i, size.entries);
    std::string_view line = lines.line();
    auto row = static_cast<std::uint32_t>(read_number(source, lines, line, 1, size.rows, "the row") - 1);
    auto column =
        static_cast<std::uint32_t>(read_number(source, lines, line, 1, size.columns, "the column") - 1);
    const float value = banner.is_pattern ? 1.0f : read_value(source, lines, line);
    expect_line_end(source, lines, line);
    if (turned) std::swap(row, column);
    rows.append({&row, 1});
    columns.append({&column, 1});
    values.append({&value, 1});
  }
  expect_file_end(source, lines, size.entries);
  Entries entries;
  entries.row_count = turned ? size.columns : size.rows;
  entries.width = turned ? size.rows : size.columns;
  entries.rows = rows.take(source.path());
  entries.columns = columns.take(source.path());
  entries.values = values.take(source.path());
  return entries;
}

/// Column by column, one value a line.
LoadedRows read_dense(const ByteSource& source, LineReader& lines, const Banner& banner, const Size& size) {
  BlockList<float> by_columns;
  for (std::int64_t i = 0; i < size.entries; ++i) {
    next_entry(source, lines, i, size.entries);
    std::string_view line = lines.line();
    const float value = read_value(source, lines, line);
    expect_line_end(source, lines, line);
    by_columns.append({&value, 1});
  }
  expect_file_end(source, lines, size.entries);
  const std::vector<float> turned = by_columns.take(source.path());
  std::vector<float> values;
  reserve_elements(values, size.entries, source.path());
  for (std::int64_t row = 0; row < size.rows; ++row) {
    for (std::int64_t column = 0; column < size.columns; ++column)
      values.push_back(turned[static_cast<std::size_t>(column * size.rows + row)]);
  }
  return {Dataset(std::move(values), size.rows, size.columns),
          {fmt::format("Matrix Market, a dense array, {}", banner.field), "", {}}};
}

LoadedRows read_matrix_market(const DataSource&, ByteSource& bytes) {
  LineReader lines(bytes);
  const Banner banner = read_banner(bytes, lines);
  const Size size = read_size(bytes, lines, banner, false);
  if (!banner.is_coordinate) return read_dense(bytes, lines, banner, size);
  Entries entries = read_entries(bytes, lines, banner, size, false);
  LoadedRows loaded = load_sparse(order_entries(std::move(entries), Repeated::summed, bytes.path()),
                                  fmt::format("Matrix Market, {}", banner.field));
  if (size.is_tenx) {
    loaded.facts.warnings.push_back(
        fmt::format("{}: the rows of a matrix that Cell Ranger (10x) has written are genes: give its folder, "
                    "whose rows are cells",
                    bytes.path()));
  }
  return loaded;
}

bool is_matrix_market(const ByteSource&, std::span<const std::uint8_t> head) {
  // Chars and bytes may alias.
  std::string_view text(reinterpret_cast<const char*>(head.data()),  // NOLINT(*-reinterpret-cast)
                        head.size());
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  // A table may have a column of this name.
  if (line.find_first_of(",;|\t") != std::string_view::npos) return false;
  return lowered(next_word(line)) == kMagic;
}

}  // namespace

MatrixEntries read_matrix_entries(ByteSource& bytes, bool turned) {
  LineReader lines(bytes);
  const Banner banner = read_banner(bytes, lines);
  if (!banner.is_coordinate) refuse(bytes, lines, "the matrix is dense; expected coordinates");
  const Size size = read_size(bytes, lines, banner, turned);
  return {read_entries(bytes, lines, banner, size, turned), banner.field};
}

constinit const Format kMatrixMarketFormat = {
    .name = "Matrix Market",
    .told_by = "(%%MatrixMarket)",
    .is_it = is_matrix_market,
    .read = read_matrix_market,
};

}  // namespace vaecuda::data
