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

// Collects the rows of one table.
class Table {
 public:
  Table(const CsvReader& reader, const std::string& path, CsvColumns columns)
      : reader_(reader), path_(path), columns_(std::move(columns)) {
    row_.reserve(columns_.count);
  }

  void add_row(std::span<const std::string_view> cells, std::int64_t line) {
    if (cells.size() != columns_.count) {
      fail(path_,
           "line {} has {}, the first line has {}; every row must have the same number of cells (separator "
           "{})",
           line, counted(static_cast<std::int64_t>(cells.size()), "cell"), columns_.count,
           in_quotes(std::string(1, reader_.separator())));
    }
    row_.clear();
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column == columns_.label) {
        if (cells[column].empty())
          fail(path_, "line {}, {}: the label is missing", line, columns_.describe(column));
        labels_.add(cells[column]);
        continue;
      }
      float value = 0.0F;
      const NumberStatus status = parse_f32(cells[column], value);
      if (status != NumberStatus::ok) refuse(cells[column], status, line, column);
      row_.push_back(value);
    }
    values_.append(row_);
    ++rows_;
  }

  Dataset finish() {
    const auto width = static_cast<std::int64_t>(columns_.count) - (columns_.label ? 1 : 0);
    if (rows_ == 0) fail(path_, "holds a header line alone; expected at least one row of data behind it");
    Dataset dataset(values_.take(path_), rows_, width);
    if (columns_.label) {
      Labels labels = std::move(labels_).finish();
      dataset.set_labels(std::move(labels.values), std::move(labels.names));
      if (columns_.has_header) {
        columns_.names.erase(columns_.names.begin() + static_cast<std::ptrdiff_t>(*columns_.label));
      }
    }
    dataset.set_column_names(std::move(columns_.names));
    return dataset;
  }

 private:
  [[noreturn]] void refuse(std::string_view cell, NumberStatus status, std::int64_t line,
                           std::size_t column) const {
    const std::string place = fmt::format("line {}, {}", line, columns_.describe(column));
    switch (status) {
      case NumberStatus::missing:
        if (cell.empty()) fail(path_, "{}: the cell is empty; fill the gap or remove the row", place);
        fail(path_, "{}: {} stands for a missing value; fill the gap or remove the row", place,
             in_quotes(cell));
      case NumberStatus::not_finite:
        fail(path_, "{}: the value is {}; every value must be finite", place, cell);
      case NumberStatus::too_large:
        fail(path_, "{}: {} is too large for a 32-bit float (at most 3.4028235e38)", place, cell);
      default:
        break;
    }
    fail(path_,
         "{}: {} is not a number; expected digits with a decimal point (separator {}). If the column holds "
         "labels, name "
         "it: --label-column {}",
         place, in_quotes(cell), in_quotes(std::string(1, reader_.separator())),
         columns_.names.empty() ? std::to_string(column) : columns_.names[column]);
  }

  const CsvReader& reader_;
  const std::string& path_;
  CsvColumns columns_;
  std::vector<float> row_;
  BlockList<float> values_;
  LabelBuilder labels_;
  std::int64_t rows_ = 0;
};

}  // namespace

Dataset read_csv(ByteSource& source, const std::string& label_column) {
  CsvReader reader(source);
  if (!reader.next()) fail(source.path(), "holds only blank lines; expected a table of numbers");
  // Kept as strings, since the next call of next() overwrites the reader's cells.
  const std::vector<std::string> first(reader.cells().begin(), reader.cells().end());
  const std::int64_t first_line = reader.line();
  const bool has_second = reader.next();
  const std::span<const std::string_view> second =
      has_second ? reader.cells() : std::span<const std::string_view>();

  CsvColumns columns = find_csv_columns(source.path(), first, second, label_column);
  const bool has_header = columns.has_header;
  if (columns.label && columns.count == 1) {
    fail(source.path(), "has no column but the labels'; expected at least one column of numbers");
  }
  Table table(reader, source.path(), std::move(columns));
  if (!has_header) {
    const std::vector<std::string_view> cells(first.begin(), first.end());
    table.add_row(cells, first_line);
  }
  if (has_second) {
    do {
      table.add_row(reader.cells(), reader.line());
    } while (reader.next());
  }
  return table.finish();
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
