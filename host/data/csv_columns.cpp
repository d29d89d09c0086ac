#include "host/data/csv_columns.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "host/config/utf8.hpp"
#include "host/data/column_names.hpp"
#include "host/data/csv_header.hpp"
#include "host/data/message.hpp"
#include "host/data/number.hpp"
#include "host/data/rounding.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::data {
namespace {

std::optional<std::size_t> index_in(const std::string& text) {
  std::size_t index = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, index);
  return status == std::errc() && stop == end && !text.empty() ? std::optional(index) : std::nullopt;
}

/// A last column named label, class or target, else the first one.
std::optional<std::size_t> find_usual_label(const std::vector<std::string>& names,
                                            const std::vector<std::string>& values) {
  if (names.empty()) return std::nullopt;
  const auto is_label = [&values](const std::string& name) {
    return is_label_name(name) && std::find(values.begin(), values.end(), name) == values.end();
  };
  if (is_label(names.back())) return names.size() - 1;
  const auto found = std::find_if(names.begin(), names.end(), is_label);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::optional<std::size_t> find_label_column(const std::string& path, const CsvColumns& columns,
                                             const TableRequest& request) {
  const std::string& label_column = request.label_column;
  const std::vector<std::string>& names = columns.names;
  if (label_column == "none") return std::nullopt;
  if (label_column.empty()) return find_usual_label(names, request.value_columns);
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
    if (request.label_column_may_lack) return std::nullopt;
    throw ConfigError(fmt::format(
        "{}: label column {} does not exist; the file has {}, counted from 0 to {}", path, label_column,
        counted(static_cast<std::int64_t>(columns.count), "column"), columns.count - 1));
  }
  if (request.label_column_may_lack) return std::nullopt;
  if (names.empty()) {
    throw ConfigError(
        fmt::format("{}: label column {}: the file has no header line that names its columns; give an index "
                    "from 0 to {}, or none",
                    path, in_quotes(label_column), columns.count - 1));
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string nearest = nearest_name(label_column, candidates);
  throw ConfigError(fmt::format(
      "{}: there is no column {} to take labels from{}; give a name from the header, an index from 0 to {}, "
      "or none",
      path, in_quotes(label_column),
      nearest.empty() ? "" : fmt::format(" (did you mean {}?)", in_quotes(nearest)), columns.count - 1));
}

namespace {

/// The column that the request means, as far as the first line alone can tell.
std::optional<std::size_t> requested_label(const CsvSample& sample, const std::string& label_column) {
  for (std::size_t column = 0; column < sample.cells(0); ++column) {
    if (!label_column.empty() && sample.cell(0, column) == label_column) return column;
  }
  return index_in(label_column);
}

/// The whole numbers that the column holds in the sample's rows; none where a cell is no such number.
std::optional<std::vector<std::int64_t>> whole_numbers(const CsvSample& sample, std::size_t first_row,
                                                       std::size_t column) {
  std::vector<std::int64_t> numbers;
  for (std::size_t row = first_row; row < sample.size(); ++row) {
    if (column >= sample.cells(row)) return std::nullopt;
    const std::string_view cell = sample.cell(row, column);
    double value = 0.0;
    const auto [stop, status] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    constexpr double kMost = 1e15;
    if (status != std::errc() || stop != cell.data() + cell.size() || !(value > -kMost && value < kMost) ||
        value != static_cast<double>(static_cast<std::int64_t>(value))) {
      return std::nullopt;
    }
    numbers.push_back(static_cast<std::int64_t>(value));
  }
  return numbers;
}

/// The first line has every name that the rows are to have: it is the header, whatever its cells look like.
/// Where all are numbers, a row could be the same by chance, which is said.
std::optional<HeaderFinding> find_wanted_names(const std::string& path, const CsvSample& sample,
                                               const std::vector<std::string>& wanted) {
  if (wanted.empty() || sample.cells(0) < wanted.size()) return std::nullopt;
  std::set<std::string> cells;
  for (const std::string_view cell : sample.row(0)) cells.insert(config::repaired(cell));
  const auto is_there = [&cells](const std::string& name) { return cells.count(name) > 0; };
  if (!std::all_of(wanted.begin(), wanted.end(), is_there)) return std::nullopt;
  const auto is_number = [](const std::string& name) {
    float value = 0.0F;
    return parse_f32(name, value) == NumberStatus::ok;
  };
  if (!std::all_of(wanted.begin(), wanted.end(), is_number)) return HeaderFinding{true, ""};
  return HeaderFinding{true, fmt::format("{}: line {} is taken for the header, since it has the names that "
                                         "are wanted: {}. If it is not, give --header no",
                                         path, sample.line(0), quoted_record(sample, 0))};
}

/// pandas and R write the names of rows into a first column that has no name of its own.
bool first_names_rows(const CsvColumns& columns, const std::vector<std::string>& wanted) {
  const std::vector<std::string>& names = columns.names;
  if (names.size() < 2 || columns.label == std::size_t{0}) return false;
  if (std::find(wanted.begin(), wanted.end(), names[0]) != wanted.end()) return false;
  if (names[0] == "Unnamed: 0") return true;
  return names[0].empty() && std::count(names.begin(), names.end(), "") == 1;
}

void leave_out_row_names(const std::string& path, const std::vector<std::string>& wanted,
                         CsvColumns& columns) {
  if (!first_names_rows(columns, wanted)) return;
  columns.begin = 1;
  columns.warnings.push_back(
      fmt::format("{}: column 0 {}, as pandas writes the index of the rows: it is left out. Write the table "
                  "with index=False; {}, name it",
                  path, columns.names[0].empty() ? "has no name" : "is named " + in_quotes(columns.names[0]),
                  columns.are_labels ? "if it is a label" : "to train on the column"));
}

/// The first line of a table of labels that pandas wrote with the index of the rows: `,label`, or `,0` of a
/// column without a name. As a row of numbers it would have a gap.
bool names_index_of_labels(const CsvSample& sample, const TableRequest& request) {
  return request.are_labels && sample.cells(0) > 1 && sample.size() > 1 &&
         (sample.cell(0, 0).empty() || sample.cell(0, 0) == "Unnamed: 0") && !sample.cell(1, 0).empty();
}

/// Of a table that meets whoever wants its columns by their names the others are not read. One of these names
/// is enough: who wants it says which others are missing.
void pass_over_others(const std::vector<std::string>& wanted, CsvColumns& columns) {
  const std::set<std::string_view> names(columns.names.begin(), columns.names.end());
  const auto is_there = [&names](const std::string& name) { return names.count(name) > 0; };
  if (std::none_of(wanted.begin(), wanted.end(), is_there)) return;
  const std::set<std::string_view> read(wanted.begin(), wanted.end());
  for (const std::string& name : columns.names) columns.is_passed.push_back(read.count(name) == 0);
}

/// Where every line ends in a separator, what stands behind it is no column.
void leave_out_empty_end(const std::string& path, const CsvSample& sample, CsvColumns& columns) {
  const std::size_t first_row = columns.has_header ? 1 : 0;
  const std::size_t with_end = columns.count + (columns.has_header && !columns.names.back().empty() ? 1 : 0);
  if (with_end < 2 || first_row >= sample.size()) return;
  for (std::size_t row = first_row; row < sample.size(); ++row) {
    if (sample.cells(row) != with_end || !sample.cell(row, with_end - 1).empty()) return;
  }
  columns.ends_in_separator = true;
  columns.count = with_end - 1;
  if (columns.has_header) columns.names.resize(columns.count);
  columns.warnings.push_back(
      fmt::format("{}: every line ends in a separator: the empty cell behind it is left out", path));
}

void warn_of_counting_columns(const std::string& path, const CsvSample& sample, CsvColumns& columns) {
  constexpr std::size_t kEnoughRows = 10;
  const std::size_t first_row = columns.has_header ? 1 : 0;
  if (sample.size() < first_row + kEnoughRows) return;
  for (std::size_t column = columns.begin; column < columns.count; ++column) {
    if (column == columns.label || columns.passes(column)) continue;
    const auto numbers = whole_numbers(sample, first_row, column);
    if (!numbers) continue;
    const auto jump = std::adjacent_find(numbers->begin(), numbers->end(),
                                         [](std::int64_t a, std::int64_t b) { return b != a + 1; });
    if (jump != numbers->end()) continue;
    columns.warnings.push_back(
        fmt::format("{}: {} counts the rows ({}, {}, {}, …) and is {}: write the table without it if it only "
                    "numbers them",
                    path, columns.describe(column), (*numbers)[0], (*numbers)[1], (*numbers)[2],
                    columns.are_labels ? "taken for a part of every row's label" : "trained on"));
  }
}

/// The columns' cells in the rows that were looked at, as far as they are numbers.
void warn_of_rounding(const std::string& path, const CsvSample& sample, CsvColumns& columns) {
  RoundingProbe probe;
  for (std::size_t column = columns.begin; column < columns.count; ++column) {
    if (column == columns.label || columns.passes(column)) continue;
    std::vector<double> values;
    for (std::size_t row = columns.has_header ? 1 : 0; row < sample.size(); ++row) {
      if (column >= sample.cells(row)) continue;
      const std::string_view cell = sample.cell(row, column);
      double value = 0.0;
      const auto [stop, status] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
      if (status == std::errc() && stop == cell.data() + cell.size()) values.push_back(value);
    }
    probe.add(static_cast<std::int64_t>(column), values);
  }
  if (!probe.first()) return;
  const std::string first = columns.describe(static_cast<std::size_t>(*probe.first()));
  for (std::string& line : probe.warnings(path, first)) columns.warnings.push_back(std::move(line));
}

void warn_of_labels_among_values(const std::string& path, const CsvSample& sample,
                                 const std::vector<std::string>& wanted, CsvColumns& columns) {
  constexpr std::size_t kMostClasses = 20;
  for (std::size_t column = columns.begin; column < columns.names.size(); ++column) {
    const std::string& name = columns.names[column];
    if (column == columns.label || columns.passes(column) || !may_name_labels(name)) continue;
    // As labels it would be missing among the values.
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
    const auto numbers = whole_numbers(sample, 1, column);
    if (!numbers || std::set<std::int64_t>(numbers->begin(), numbers->end()).size() > kMostClasses) continue;
    columns.warnings.push_back(
        fmt::format("{}: {} may hold labels and is taken for a value like the others: --label-column {} "
                    "takes it for labels, --label-column {} leaves it as it is",
                    path, columns.describe(column), columns.label_word(column),
                    columns.label ? columns.label_word(*columns.label) : "none"));
  }
}

}  // namespace

std::string CsvColumns::describe(std::size_t column) const {
  if (names.empty() || names[column].empty()) return fmt::format("column {} (counted from 0)", column);
  return fmt::format("column {}", in_quotes(names[column]));
}

bool CsvColumns::passes(std::size_t column) const {
  return !is_passed.empty() && is_passed[column];
}

std::string CsvColumns::label_word(std::size_t column) const {
  constexpr std::size_t kLongest = 40;
  if (column >= names.size()) return std::to_string(column);
  const std::string& name = names[column];
  const bool is_usable = !name.empty() && name.size() <= kLongest &&
                         name.find_first_of("'\n\r\t") == std::string::npos && !index_in(name) &&
                         name != "none" && std::count(names.begin(), names.end(), name) == 1;
  return is_usable ? as_word(name) : std::to_string(column);
}

namespace {

/// A model file holds UTF-8 alone, and so would know other names than the table.
void warn_of_other_encoding(const std::string& path, const CsvSample& sample, CsvColumns& columns) {
  for (std::size_t column = 0; column < columns.names.size(); ++column) {
    if (columns.names[column] == sample.cell(0, column)) continue;
    columns.warnings.push_back(
        fmt::format("{}: the name of column {} is no UTF-8 and is read as {}: save the table as UTF-8 (iconv "
                    "-f WINDOWS-1252 -t UTF-8)",
                    path, column, in_quotes(columns.names[column])));
    return;
  }
}

}  // namespace

CsvColumns find_csv_columns(const std::string& path, const CsvSample& sample, const TableRequest& request) {
  CsvColumns columns;
  columns.count = sample.cells(0);
  columns.are_labels = request.are_labels;
  columns.may_name_label = request.label_column != "none";
  columns.has_header = request.header == HeaderMode::yes || names_index_of_labels(sample, request);
  if (request.header == HeaderMode::automatic && !columns.has_header) {
    const auto wanted = find_wanted_names(path, sample, request.value_columns);
    HeaderFinding finding =
        wanted ? *wanted : find_header(path, sample, requested_label(sample, request.label_column));
    columns.has_header = finding.has_header;
    if (!finding.warning.empty()) columns.warnings.push_back(std::move(finding.warning));
  }
  if (columns.has_header) {
    for (const std::string_view name : sample.row(0)) {
      require_text(path, sample.line(0), name);
      columns.names.push_back(config::repaired(name));
    }
    warn_of_other_encoding(path, sample, columns);
  }
  leave_out_empty_end(path, sample, columns);
  columns.label = find_label_column(path, columns, request);
  leave_out_row_names(path, request.value_columns, columns);
  if (columns.are_labels && columns.count - columns.begin == 1) columns.label = columns.begin;
  pass_over_others(request.value_columns, columns);
  warn_of_counting_columns(path, sample, columns);
  warn_of_rounding(path, sample, columns);
  // Who names a column, or none, has decided.
  if (request.label_column.empty()) warn_of_labels_among_values(path, sample, request.value_columns, columns);
  return columns;
}

}  // namespace vaecuda::data
