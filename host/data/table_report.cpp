#include "host/data/table_report.hpp"

#include <algorithm>
#include <vector>

#include "host/data/csv_reader.hpp"
#include "host/data/message.hpp"
#include "host/data/text_kind.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kMostProblems = 64;  // that are remembered
constexpr std::size_t kMostShown = 10;
constexpr std::size_t kMostDifferent = 21;  // texts of a column that are remembered
constexpr std::size_t kLongestText = 64;

std::string cut(std::string_view text) {
  return std::string(text.substr(0, kLongestText));
}

/// As a line of R's write.table does, which is one cell where blanks separate no numbers alone.
bool ends_in_number_behind_blank(std::string_view text) {
  const std::size_t blank = without_blanks(text).find_last_of(" \t");
  float value = 0.0F;
  return blank != std::string_view::npos &&
         parse_f32(without_blanks(text).substr(blank + 1), value) != NumberStatus::text;
}

/// What stands in the place of a label.
std::string missing_text(const std::string& label) {
  return label.empty() ? std::string() : fmt::format(" ({} stands for a missing value)", in_quotes(label));
}

}  // namespace

void TableReport::add(std::size_t column, Kind kind, std::int64_t line, std::string_view text) {
  const auto key = std::pair(column, kind);
  auto found = problems_.find(key);
  if (found == problems_.end()) {
    if (problems_.size() == kMostProblems) {
      ++further_cells_;
      return;
    }
    found = problems_.emplace(key, Problem{0, line, std::string(text.substr(0, 2 * kLongestText)), {}}).first;
  }
  Problem& problem = found->second;
  ++problem.count;
  if (problem.different.size() < kMostDifferent) problem.different.insert(cut(text));
}

void TableReport::add_cell(std::size_t column, NumberStatus status, std::int64_t line,
                           std::string_view text) {
  const Kind kind = [&] {
    switch (status) {
      case NumberStatus::missing:
        return text.empty() ? Kind::empty : Kind::missing;
      case NumberStatus::not_finite:
        return Kind::not_finite;
      case NumberStatus::too_large:
        return Kind::too_large;
      case NumberStatus::inexact:
        return Kind::inexact;
      default:
        return Kind::text;
    }
  }();
  add(column, kind, line, text);
}

void TableReport::add_missing_label(std::size_t column, std::int64_t line, std::string_view text) {
  add(column, Kind::label, line, text);
}

void TableReport::add_length(std::int64_t line, std::size_t cells, std::string_view last_cell) {
  if (lengths_.count++ == 0) {
    lengths_.line = line;
    lengths_.cells = cells;
  }
  lengths_.all_alike = lengths_.all_alike && cells == lengths_.cells;
  lengths_.all_end_empty = lengths_.all_end_empty && last_cell.empty();
}

bool TableReport::may_hold_labels(const CsvColumns& columns, const Problems::value_type& problem,
                                  std::int64_t rows) const {
  const auto& [key, found] = problem;
  const std::size_t width = columns.count - columns.begin - (columns.label ? 1 : 0);
  if (!columns.may_name_label && !columns.are_labels) return false;
  // Of a table that others are passed over in, a column that is read holds values: a model has it.
  if (columns.label || columns.is_wanted() || width < 2 || found.count < rows - lengths_.count) return false;
  const auto texts = std::count_if(problems_.begin(), problems_.end(),
                                   [](const auto& other) { return other.first.second == Kind::text; });
  if (texts != 1 || text_kind(found.first) == TextKind::date ||
      text_kind(found.first) == TextKind::decimal_comma)
    return false;
  constexpr std::int64_t kManyRows = 20;  // from here on, labels repeat
  return found.different.size() < kMostDifferent &&
         (rows < kManyRows || static_cast<std::int64_t>(found.different.size()) < rows);
}

/// What to do about it.
std::string TableReport::advice(const CsvColumns& columns, const Problems::value_type& problem,
                                std::int64_t rows) const {
  const auto& [key, found] = problem;
  switch (key.second) {
    case Kind::empty:
    case Kind::missing:
      return "fill the gap or remove the row";
    case Kind::not_finite:
      return "every value must be finite";
    case Kind::too_large:
      return "a 32-bit float holds at most 3.4028235e38";
    case Kind::inexact:
      return fmt::format(
          "a 32-bit float cannot hold such an integer exactly; subtract a constant from the column (its "
          "smallest value), leave it out if it only numbers the rows, or write {}.0 if its last digits do "
          "not matter",
          found.first);
    case Kind::label:
      return "every row must have a label";
    case Kind::text:
      break;
  }
  // No option picks a column of a file of labels.
  const std::string name_it = columns.are_labels
                                  ? "give a file with this column alone"
                                  : fmt::format("name it: --label-column {}", columns.label_word(key.first));
  const bool labels = may_hold_labels(columns, problem, rows);
  switch (text_kind(found.first)) {
    case TextKind::date:
      return "it seems a date or a time: write numbers in its place (hours, days) or leave the column out";
    case TextKind::decimal_comma:
      return "expected digits with a decimal point, not a comma";
    case TextKind::boolean:
      return "write 1 and 0" + (labels ? "; if the column holds labels, " + name_it : std::string());
    case TextKind::unit:
      return "write the number alone, without sign or unit";
    case TextKind::other:
      break;
  }
  if (labels) return "expected digits with a decimal point. If the column holds labels, " + name_it;
  if (columns.count == 1 && ends_in_number_behind_blank(found.first)) {
    return "expected digits with a decimal point. " + std::string(kBetweenBlanks);
  }
  if (found.count > 1 && found.count >= rows - lengths_.count)
    return "leave the column out, or write numbers in the place of its texts";
  return "expected digits with a decimal point; mend the cell";
}

std::string TableReport::describe_one(const CsvColumns& columns, char separator,
                                      const Problems::value_type& problem, std::int64_t rows) const {
  const auto& [key, found] = problem;
  const std::string place = fmt::format("line {}, {}", found.line, columns.describe(key.first));
  const std::string hint = advice(columns, problem, rows);
  const std::string text = in_quotes(found.first);
  switch (key.second) {
    case Kind::empty:
      return fmt::format("{}: the cell is empty; {}", place, hint);
    case Kind::missing:
      return fmt::format("{}: {} stands for a missing value; {}", place, text, hint);
    case Kind::not_finite:
      return fmt::format("{}: the value is {}; {}", place, found.first, hint);
    case Kind::too_large:
      return fmt::format("{}: {} is too large; {}", place, cut(found.first), hint);
    case Kind::inexact:
      return fmt::format("{}: {}: {}", place, found.first, hint);
    case Kind::label:
      return fmt::format("{}: the label is missing{}", place, missing_text(found.first));
    case Kind::text:
      break;
  }
  return fmt::format("{}: {} is not a number (separator {}); {}", place, text,
                     in_quotes(std::string(1, separator)), hint);
}

std::string TableReport::describe_all(const CsvColumns& columns, const Problems::value_type& problem,
                                      std::int64_t rows) const {
  // No structured binding: clang 14 does not let a lambda capture one.
  const std::pair<std::size_t, Kind>& key = problem.first;
  const Problem& found = problem.second;
  const auto said = [&](std::string_view what) {
    return fmt::format("{}: {} {}, the first {} at line {}; {}", columns.describe(key.first), found.count,
                       fmt::format("{}{}", found.count == 1 ? "cell " : "cells ", what),
                       in_quotes(found.first), found.line, advice(columns, problem, rows));
  };
  const bool one = found.count == 1;
  switch (key.second) {
    case Kind::empty:
      return fmt::format("{}: {} empty {}, the first at line {}; {}", columns.describe(key.first),
                         found.count, one ? "cell" : "cells", found.line, advice(columns, problem, rows));
    case Kind::missing:
      return said(one ? "stands for a missing value" : "stand for missing values");
    case Kind::not_finite:
      return said(one ? "is not finite" : "are not finite");
    case Kind::too_large:
      return said(one ? "is too large" : "are too large");
    case Kind::inexact:
      return said(one ? "is an integer too large" : "are integers too large");
    case Kind::label:
      return fmt::format("{}: {} without a label, the first at line {}{}", columns.describe(key.first),
                         counted(found.count, "row"), found.line, missing_text(found.first));
    case Kind::text:
      break;
  }
  return said(one ? "is not a number" : "are not numbers");
}

std::string TableReport::describe_lengths(const CsvColumns& columns, char separator,
                                          std::int64_t rows) const {
  const std::string expected = fmt::format("every row must have the same number of cells (separator {})",
                                           in_quotes(std::string(1, separator)));
  std::string line =
      fmt::format("line {} has {}, the first line has {}; {}", lengths_.line,
                  counted(static_cast<std::int64_t>(lengths_.cells), "cell"), columns.count, expected);
  if (lengths_.count == 1) return line;
  line = fmt::format(
      "{} of {} rows have another number of cells than the first line ({}), the first at line {} with {}; {}",
      lengths_.count, rows, columns.count, lengths_.line, lengths_.cells, expected);
  const bool one_more = lengths_.all_alike && lengths_.cells == columns.count + 1;
  if (one_more && columns.has_header && lengths_.count == rows && !lengths_.all_end_empty) {
    line +=
        ". If the first cell of every row is its name, as R writes it, write the table with row.names=FALSE";
  }
  return line;
}

std::string TableReport::message(const CsvColumns& columns, char separator, std::int64_t rows,
                                 std::int64_t last_line, bool is_whole) const {
  std::vector<std::string> lines;
  if (lengths_.count > 0) lines.push_back(describe_lengths(columns, separator, rows));
  const bool is_one =
      problems_.size() == 1 && lines.empty() && problems_.begin()->second.count == 1 && further_cells_ == 0;
  if (is_one) lines.push_back(describe_one(columns, separator, *problems_.begin(), rows));
  std::size_t hidden = 0;
  for (const auto& problem : problems_) {
    if (is_one) break;
    if (lines.size() < kMostShown) {
      lines.push_back(describe_all(columns, problem, rows));
    } else {
      ++hidden;
    }
  }
  if (hidden > 0) {
    lines.push_back(
        fmt::format("{}{} more of other columns or kinds", further_cells_ > 0 ? "at least " : "", hidden));
  }
  const std::string seen =
      is_whole ? std::string() : fmt::format(" up to line {}, from where it was not read on", last_line);
  std::string text = std::move(lines.front());
  if (lines.size() > 1) {
    text = fmt::format("{} kinds of problems in {}{}:\n  {}", lines.size() + hidden - (hidden > 0 ? 1 : 0),
                       counted(rows, "row"), seen, text);
    for (std::size_t i = 1; i < lines.size(); ++i) text += "\n  " + lines[i];
  }
  if (!end_.empty()) text += "\n  " + end_;
  return text;
}

}  // namespace vaecuda::data
