#include "host/data/csv.hpp"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "host/data/csv_columns.hpp"
#include "host/data/csv_reader.hpp"
#include "host/data/message.hpp"
#include "host/data/number.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

[[noreturn]] void refuse_cell(const std::string& path, std::string_view cell, NumberStatus status,
                              const std::string& place, char separator, const std::string& column) {
  switch (status) {
    case NumberStatus::missing:
      if (cell.empty()) fail(path, "{}: the cell is empty; fill the gap or remove the row", place);
      fail(path, "{}: {} stands for a missing value; fill the gap or remove the row", place, in_quotes(cell));
    case NumberStatus::not_finite:
      fail(path, "{}: the value is {}; every value must be finite", place, cell);
    case NumberStatus::too_large:
      fail(path, "{}: {} is too large for a 32-bit float (at most 3.4028235e38)", place, cell);
    case NumberStatus::inexact:
      fail(path,
           "{}: a 32-bit float cannot hold the integer {} exactly; scale the column, leave it out if it only "
           "numbers the rows, or write {}.0 if its last digits do not matter",
           place, cell, cell);
    default:
      break;
  }
  fail(path,
       "{}: {} is not a number; expected digits with a decimal point (separator {}). If the column holds "
       "labels, name "
       "it: --label-column {}",
       place, in_quotes(cell), in_quotes(std::string(1, separator)), column);
}

}  // namespace

struct CsvRows::State {
  explicit State(ByteSource& source) : path(source.path()), reader(source) {}

  const std::string& path;
  CsvReader reader;
  CsvColumns columns;
  std::vector<std::string> first;  ///< the first record where it is a row, until it was given out
  std::int64_t first_line = 0;
  bool second_waits = false;  ///< the reader stands at a record that was not given out yet
  std::vector<float> row;
  std::string label;

  void read_first_lines(const std::string& label_column);
  void take(std::span<const std::string_view> cells, std::int64_t line);
};

void CsvRows::State::read_first_lines(const std::string& label_column) {
  if (!reader.next()) fail(path, "holds only blank lines; expected a table of numbers");
  // Kept as strings, since the next call of next() overwrites the reader's cells.
  first.assign(reader.cells().begin(), reader.cells().end());
  first_line = reader.line();
  second_waits = reader.next();
  const std::span<const std::string_view> second =
      second_waits ? reader.cells() : std::span<const std::string_view>();
  columns = find_csv_columns(path, first, second, label_column);
  if (columns.has_header) first.clear();
  if (columns.label && columns.count == 1) {
    fail(path, "has no column but the labels'; expected at least one column of numbers");
  }
  if (columns.has_header && !second_waits) {
    fail(path, "holds a header line alone; expected at least one row of data behind it");
  }
  row.reserve(columns.count);
}

void CsvRows::State::take(std::span<const std::string_view> cells, std::int64_t line) {
  if (cells.size() != columns.count) {
    fail(path,
         "line {} has {}, the first line has {}; every row must have the same number of cells (separator "
         "{})",
         line, counted(static_cast<std::int64_t>(cells.size()), "cell"), columns.count,
         in_quotes(std::string(1, reader.separator())));
  }
  row.clear();
  for (std::size_t column = 0; column < cells.size(); ++column) {
    if (column == columns.label) {
      if (cells[column].empty()) {
        fail(path, "line {}, {}: the label is missing", line, columns.describe(column));
      }
      label = cells[column];
      continue;
    }
    float value = 0.0F;
    const NumberStatus status = parse_f32(cells[column], value);
    if (status != NumberStatus::ok) {
      refuse_cell(path, cells[column], status, fmt::format("line {}, {}", line, columns.describe(column)),
                  reader.separator(), columns.names.empty() ? std::to_string(column) : columns.names[column]);
    }
    row.push_back(value);
  }
}

CsvRows::CsvRows(ByteSource& source, const std::string& label_column)
    : state_(std::make_unique<State>(source)) {
  state_->read_first_lines(label_column);
}

CsvRows::~CsvRows() = default;

std::int64_t CsvRows::width() const {
  return static_cast<std::int64_t>(state_->columns.count) - (has_labels() ? 1 : 0);
}

std::vector<std::string> CsvRows::names() const {
  std::vector<std::string> names = state_->columns.names;
  if (has_labels() && state_->columns.has_header) {
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(*state_->columns.label));
  }
  return names;
}

bool CsvRows::has_labels() const {
  return state_->columns.label.has_value();
}

bool CsvRows::next() {
  State& state = *state_;
  if (!state.first.empty()) {
    const std::vector<std::string> first = std::move(state.first);
    state.first.clear();
    state.take(std::vector<std::string_view>(first.begin(), first.end()), state.first_line);
    return true;
  }
  if (!state.second_waits && !state.reader.next()) return false;
  state.second_waits = false;
  state.take(state.reader.cells(), state.reader.line());
  return true;
}

std::span<const float> CsvRows::values() const {
  return state_->row;
}

std::string_view CsvRows::label() const {
  return state_->label;
}

Dataset read_csv(ByteSource& source, const std::string& label_column) {
  CsvRows rows(source, label_column);
  BlockList<float> values;
  LabelBuilder labels;
  std::int64_t count = 0;
  for (; rows.next(); ++count) {
    values.append(rows.values());
    if (rows.has_labels()) labels.add(rows.label());
  }
  Dataset dataset(values.take(source.path()), count, rows.width());
  if (rows.has_labels()) {
    Labels found = std::move(labels).finish();
    dataset.set_labels(std::move(found.values), std::move(found.names));
  }
  dataset.set_column_names(rows.names());
  return dataset;
}

std::size_t count_csv_cells(ByteSource& source) {
  CsvReader reader(source);
  return reader.next() ? reader.cells().size() : 0;
}

Labels read_label_csv(ByteSource& source, std::int64_t rows) {
  CsvReader reader(source);
  LabelBuilder builder;
  while (reader.next()) {
    if (reader.cells().size() != 1) {
      fail(source.path(), "line {} has {} cells; expected labels, one per line", reader.line(),
           reader.cells().size());
    }
    if (reader.cells().front().empty()) fail(source.path(), "line {}: the label is missing", reader.line());
    builder.add(reader.cells().front());
  }
  if (builder.size() == rows + 1) builder.drop_first();
  return std::move(builder).finish();
}

}  // namespace vaecuda::data
