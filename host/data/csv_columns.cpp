#include "host/data/csv_columns.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "host/data/message.hpp"
#include "host/data/number.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::data {
namespace {

bool is_text(std::string_view cell) {
  float value = 0.0F;
  return parse_f32(cell, value) == NumberStatus::text;
}

bool is_label_name(std::string name) {
  for (char& letter : name) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return name == "label" || name == "class" || name == "target";
}

std::optional<std::size_t> index_in(const std::string& text) {
  std::size_t index = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, index);
  return status == std::errc() && stop == end && !text.empty() ? std::optional(index) : std::nullopt;
}

// A header is a first line with text in it. Where the only text stands in the label column, it may be the
// label of a first row as well ("5.1,3.5,setosa" with column 2 as labels); the second line's label then
// tells.
bool has_header(const std::vector<std::string>& first, std::span<const std::string_view> second,
                const std::string& label_column) {
  const auto texts = std::count_if(first.begin(), first.end(), is_text);
  if (texts == 0) return false;
  const std::optional<std::size_t> label = index_in(label_column);
  if (texts > 1 || !label || *label >= first.size() || !is_text(first[*label])) return true;
  const bool next_is_text = *label < second.size() && is_text(second[*label]);
  return !next_is_text || is_label_name(first[*label]);
}

}  // namespace

std::optional<std::size_t> find_label_column(const std::string& path, const CsvColumns& columns,
                                             const std::string& label_column) {
  const std::vector<std::string>& names = columns.names;
  if (label_column == "none") return std::nullopt;
  if (label_column.empty()) {
    if (!names.empty() && is_label_name(names.back())) return names.size() - 1;
    return std::nullopt;
  }
  const auto named = std::find(names.begin(), names.end(), label_column);
  if (named != names.end()) {
    if (std::find(named + 1, names.end(), label_column) != names.end()) {
      throw ConfigError(
          fmt::format("{}: label column {} names more than one column; give its index, from 0 to {}", path,
                      in_quotes(label_column), columns.count - 1));
    }
    return static_cast<std::size_t>(named - names.begin());
  }
  if (const std::optional<std::size_t> index = index_in(label_column)) {
    if (*index < columns.count) return index;
    throw ConfigError(fmt::format(
        "{}: label column {} does not exist; the file has {}, counted from 0 to {}", path, label_column,
        counted(static_cast<std::int64_t>(columns.count), "column"), columns.count - 1));
  }
  if (names.empty()) {
    throw ConfigError(
        fmt::format("{}: label column {}: the file has no header line that names its columns; give an "
                    "index from 0 to {}, or none",
                    path, in_quotes(label_column), columns.count - 1));
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string nearest = nearest_name(label_column, candidates);
  throw ConfigError(fmt::format(
      "{}: there is no column {} to take labels from{}; give a name from the header, an "
      "index from 0 to {}, or none",
      path, in_quotes(label_column),
      nearest.empty() ? "" : fmt::format(" (did you mean {}?)", in_quotes(nearest)), columns.count - 1));
}

std::string CsvColumns::describe(std::size_t column) const {
  if (names.empty() || names[column].empty()) return fmt::format("column {} (counted from 0)", column);
  return fmt::format("column {}", in_quotes(names[column]));
}

CsvColumns find_csv_columns(const std::string& path, const std::vector<std::string>& first,
                            std::span<const std::string_view> second, const std::string& label_column) {
  CsvColumns columns;
  columns.count = first.size();
  columns.has_header = has_header(first, second, label_column);
  if (columns.has_header) columns.names = first;
  columns.label = find_label_column(path, columns, label_column);
  return columns;
}

}  // namespace vaecuda::data
