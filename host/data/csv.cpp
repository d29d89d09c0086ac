#include "host/data/csv.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "host/data/csv_columns.hpp"
#include "host/data/csv_header.hpp"
#include "host/data/csv_reader.hpp"
#include "host/data/csv_sample.hpp"
#include "host/data/message.hpp"
#include "host/data/number.hpp"
#include "host/data/storage.hpp"
#include "host/data/table_report.hpp"

namespace vaecuda::data {
namespace {

// So many cells are looked at once one is wrong: about a second's work.
constexpr std::int64_t kMostCellsBehind = 10'000'000;

bool is_text_alone(const CsvSample& sample, std::size_t record) {
  std::size_t texts = 0;
  for (const std::string_view cell : sample.row(record)) {
    float value = 0.0F;
    const NumberStatus status = parse_f32(cell, value);
    if (status != NumberStatus::text && status != NumberStatus::missing) return false;
    texts += status == NumberStatus::text ? 1 : 0;
  }
  return texts >= 2;
}

}  // namespace

struct CsvRows::State {
  explicit State(ByteSource& source)
      : path(source.path()), can_read_on(source.is_regular()), reader(source) {}

  const std::string& path;
  bool can_read_on;  ///< without waiting for what another program writes
  CsvReader reader;
  CsvSample sample;
  std::size_t given = 0;  ///< records of the sample that were given out
  CsvColumns columns;
  TableReport report;
  std::int64_t rows = 0;  ///< that were taken
  std::int64_t line = 0;  ///< of the last
  std::vector<float> row;
  std::string label;

  void read_first_lines(const TableRequest& request);
  void refuse_second_header() const;
  [[nodiscard]] bool take_next();
  void take(std::span<const std::string_view> cells);
  [[noreturn]] void refuse();
};

void CsvRows::State::read_first_lines(const TableRequest& request) {
  sample.read(reader);
  if (sample.size() == 0) fail(path, "holds only blank lines; expected a table of numbers");
  columns = find_csv_columns(path, sample, request);
  given = columns.has_header ? 1 : 0;
  if (columns.label && columns.count - columns.begin == 1 && !columns.are_labels) {
    fail(path, "has no column but the labels'; expected at least one column of numbers");
  }
  if (columns.has_header && sample.size() == 1) {
    fail(path, "holds a header line alone; expected at least one row of data behind it");
  }
  refuse_second_header();
  row.resize(columns.count - columns.begin - (columns.label ? 1 : 0));
}

void CsvRows::State::refuse_second_header() const {
  if (!columns.has_header || sample.size() < 3) return;
  if (is_text_alone(sample, 1) && !is_text_alone(sample, 2)) {
    fail(path, "line {} is text alone, as a second header line would be: {}. Leave one header line",
         sample.line(1), quoted_record(sample, 1));
  }
}

/// Fills `row` and `label`, and the report with what is wrong.
void CsvRows::State::take(std::span<const std::string_view> cells) {
  ++rows;
  if (columns.ends_in_separator && cells.size() == columns.count + 1 && cells.back().empty()) {
    cells = cells.first(columns.count);
  }
  if (cells.size() != columns.count) {
    report.add_length(line, cells.size(), cells.empty() ? std::string_view() : cells.back());
    return;
  }
  const std::size_t label_column = columns.label.value_or(cells.size());
  float* to = row.data();
  for (std::size_t column = columns.begin; column < cells.size(); ++column) {
    if (column == label_column) continue;
    if (columns.passes(column)) {
      *to++ = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    const NumberStatus status = parse_f32(cells[column], *to++);
    if (status != NumberStatus::ok) report.add_cell(column, status, line, cells[column]);
  }
  if (label_column == cells.size()) return;
  label = cells[label_column];
  if (is_missing(label)) report.add_missing_label(label_column, line, label);
  require_label(path, line, label);
}

bool CsvRows::State::take_next() {
  if (given < sample.size()) {
    line = sample.line(given);
    take(sample.row(given));
    ++given;
    return true;
  }
  if (!reader.next()) return false;
  line = reader.line();
  take(reader.cells());
  return true;
}

/// Reads on for what else is wrong.
void CsvRows::State::refuse() {
  const std::int64_t most =
      std::max<std::int64_t>(kMostCellsBehind / static_cast<std::int64_t>(columns.count), 1);
  bool is_whole = false;
  try {
    for (std::int64_t behind = 0; behind < most && !is_whole; ++behind) {
      if (given == sample.size() && !can_read_on) break;
      is_whole = !take_next();
    }
  } catch (const FileError& error) {
    report.add_end(std::string(error.what()).substr(path.size() + 2));
    is_whole = true;
  }
  fail(path, "{}", report.message(columns, reader.layout().separator, rows, line, is_whole));
}

CsvRows::CsvRows(ByteSource& source, const TableRequest& request) : state_(std::make_unique<State>(source)) {
  state_->read_first_lines(request);
}

CsvRows::~CsvRows() = default;

std::int64_t CsvRows::width() const {
  return static_cast<std::int64_t>(state_->columns.count - state_->columns.begin) - (has_labels() ? 1 : 0);
}

std::vector<std::string> CsvRows::names() const {
  std::vector<std::string> names = state_->columns.names;
  if (has_labels() && state_->columns.has_header) {
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(*state_->columns.label));
  }
  if (!names.empty())
    names.erase(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(state_->columns.begin));
  return names;
}

bool CsvRows::has_labels() const {
  return state_->columns.label.has_value();
}

std::string CsvRows::label_column() const {
  const CsvColumns& columns = state_->columns;
  return columns.label && !columns.names.empty() ? columns.names[*columns.label] : std::string();
}

SourceFacts CsvRows::facts() const {
  const CsvColumns& columns = state_->columns;
  SourceFacts facts;
  facts.content = columns.has_header ? "text, header" : "text, no header";
  facts.warnings = columns.warnings;
  facts.labels = has_labels() ? "labels in " + columns.describe(*columns.label) : "no label column";
  return facts;
}

bool CsvRows::next() {
  if (!state_->take_next()) return false;
  if (!state_->report.is_empty()) state_->refuse();
  return true;
}

std::span<const float> CsvRows::values() const {
  return state_->row;
}

std::string_view CsvRows::label() const {
  return state_->label;
}

namespace {

/// All rows that are left; gives their number.
std::int64_t take_all(CsvRows& rows, BlockList<float>& values, LabelBuilder& labels) {
  std::int64_t count = 0;
  for (; rows.next(); ++count) {
    values.append(rows.values());
    if (rows.has_labels()) labels.add(rows.label());
  }
  return count;
}

}  // namespace

LoadedRows read_csv(ByteSource& source, const TableRequest& request) {
  CsvRows rows(source, request);
  BlockList<float> values;
  LabelBuilder labels;
  const std::int64_t count = take_all(rows, values, labels);
  Dataset dataset(values.take(source.path()), count, rows.width());
  if (rows.has_labels()) {
    Labels found = std::move(labels).finish();
    dataset.set_labels(std::move(found.values), std::move(found.names));
  }
  dataset.set_column_names(rows.names());
  dataset.set_label_column(rows.label_column());
  SourceFacts facts = rows.facts();
  facts.missing = "no missing values";
  return {std::move(dataset), std::move(facts)};
}

LabelFile read_label_table(ByteSource& source, const std::vector<std::string>& columns) {
  TableRequest request;
  request.label_column = "none";
  request.value_columns = columns;
  request.are_labels = true;
  CsvRows rows(source, request);
  BlockList<float> values;
  LabelBuilder labels;
  const std::int64_t count = take_all(rows, values, labels);
  LabelFile file;
  file.warnings = rows.facts().warnings;
  if (rows.has_labels()) {
    file.labels = std::move(labels).finish();
    return file;
  }
  file.vectors.emplace(values.take(source.path()), count, rows.width());
  file.vectors->set_column_names(rows.names());
  return file;
}

std::size_t count_csv_cells(ByteSource& source) {
  constexpr std::size_t kHead = std::size_t{1} << 20;  // more than two cells take, far less than memory has
  const std::span<const std::uint8_t> head = source.peek(kHead);
  // Chars and bytes may alias.
  return count_cells(
      {reinterpret_cast<const char*>(head.data()), head.size()});  // NOLINT(*-reinterpret-cast)
}

namespace {

/// The first line of a file of labels, which may be a header, and what stands below it.
class FirstLabel {
 public:
  FirstLabel(const std::string& path, std::int64_t line, std::string_view text)
      : path_(path), line_(line), text_(text), kind_(kind_of(text)) {}

  void add_below(std::string_view label) {
    ++below_;
    is_repeated_ = is_repeated_ || label == text_;
    if (has_numbers_ && has_texts_) return;
    const NumberStatus kind = kind_of(label);
    has_texts_ = has_texts_ || kind == NumberStatus::text;
    has_numbers_ = has_numbers_ || (kind != NumberStatus::text && kind != NumberStatus::missing);
  }
  /// Whether it is a header over labels for so many rows; a doubt goes to `warnings`. \throws FileError where
  /// it is a label too many
  [[nodiscard]] bool is_header(std::int64_t rows, std::vector<std::string>& warnings) const {
    constexpr std::int64_t kEnough = 10;  // a single text among fewer numbers may be a label
    const bool is_above_numbers = kind_ == NumberStatus::text && !has_texts_ && below_ >= kEnough;
    if (is_above_numbers && below_ != rows) {
      fail(path_, "holds {} below its header, {}, for {}; expected one label per row",
           counted(below_, "label"), in_quotes(text_), counted(rows, "row"));
    }
    if (below_ != rows) return false;
    if (kind_ == NumberStatus::missing) return true;
    if (kind_ == NumberStatus::text ? is_repeated_ : has_numbers_ && text_ != "0") {
      fail(path_,
           "holds {} for {}, and line {} is no header but a label like those below it: {}. Remove the line "
           "if it names the labels; else a row of the data is missing, and every label would be assigned to "
           "the next row",
           counted(below_ + 1, "label"), counted(rows, "row"), line_, in_quotes(text_));
    }
    if (kind_ != NumberStatus::text) {
      warnings.push_back(
          fmt::format("{}: line {} is taken for the header, since there is one line more than rows: {}. If "
                      "it is a label, a row of the data is missing",
                      path_, line_, in_quotes(text_)));
    }
    return true;
  }

 private:
  static NumberStatus kind_of(std::string_view text) {
    float value = 0.0F;
    return parse_f32(text, value);
  }

  const std::string& path_;
  std::int64_t line_;
  std::string text_;
  NumberStatus kind_;
  std::int64_t below_ = 0;
  bool is_repeated_ = false;
  bool has_numbers_ = false;
  bool has_texts_ = false;
};

}  // namespace

LabelFile read_label_csv(ByteSource& source, std::int64_t rows) {
  CsvReader reader(source);
  LabelFile file;
  LabelBuilder builder;
  MissingLabels missing;
  MissingLabels first_missing;  // which may be a header and then names the labels, whatever it is
  std::optional<FirstLabel> first;
  while (reader.next()) {
    if (reader.cells().size() != 1) {
      fail(source.path(), "line {} has {} cells; expected labels, one per line", reader.line(),
           reader.cells().size());
    }
    const std::string_view label = reader.cells().front();
    require_label(source.path(), reader.line(), label);
    if (is_missing(label)) (first ? missing : first_missing).add(reader.line(), label);
    first ? first->add_below(label) : static_cast<void>(first.emplace(source.path(), reader.line(), label));
    builder.add(label);
  }
  if (first && first->is_header(rows, file.warnings)) {
    builder.drop_first();
  } else if (first_missing.count > 0) {
    first_missing.count += missing.count;
    missing = first_missing;
  }
  if (missing.count > 0) fail(source.path(), "line {}: {}", missing.place, missing.message(builder.size()));
  file.labels = std::move(builder).finish();
  return file;
}

}  // namespace vaecuda::data
