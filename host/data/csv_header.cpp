#include "host/data/csv_header.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include "host/data/column_names.hpp"
#include "host/data/message.hpp"
#include "host/data/number.hpp"

namespace vaecuda::data {
namespace {

enum class Cell { number, text, missing };

Cell kind_of(std::string_view cell) {
  float value = 0.0F;
  const NumberStatus status = parse_f32(cell, value);
  if (status == NumberStatus::text) return Cell::text;
  return status == NumberStatus::missing ? Cell::missing : Cell::number;
}

std::optional<std::int64_t> whole_number(std::string_view cell) {
  std::int64_t value = 0;
  const auto [stop, status] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (status != std::errc() || stop != cell.data() + cell.size()) return std::nullopt;
  return value;
}

/// The first of whole numbers that go up by one from cell to cell, over all cells of the record that are
/// numbers; none where there are fewer than two or they do not. A cell of another kind counts as a place.
std::optional<std::int64_t> counts_from(const CsvSample& sample, std::size_t record) {
  std::optional<std::int64_t> first;
  std::size_t numbers = 0;
  for (std::size_t column = 0; column < sample.cells(record); ++column) {
    const std::string_view cell = sample.cell(record, column);
    if (kind_of(cell) != Cell::number) continue;
    const std::optional<std::int64_t> value = whole_number(cell);
    if (!value) return std::nullopt;
    const std::int64_t at_start = *value - static_cast<std::int64_t>(numbers++);
    if (first && *first != at_start) return std::nullopt;
    first = at_start;
  }
  return numbers >= 2 ? first : std::nullopt;
}

/// What pandas calls the only column of a table without names; above further columns it would count on.
constexpr std::string_view kOnlyName = "0";

/// Says whether the first line is a header.
class FirstLine {
 public:
  FirstLine(const std::string& path, const CsvSample& sample, std::optional<std::size_t> label)
      : path_(path), sample_(sample), label_(label), width_(sample.cells(0)) {
    for (std::size_t column = 0; column < width_; ++column) {
      const Cell kind = kind_of(sample.cell(0, column));
      kinds_.push_back(kind);
      if (kind == Cell::number) ++numbers_;
      if (kind == Cell::text) ++texts_;
    }
  }

  HeaderFinding find() const {
    if (texts_ == 1 && label_ && *label_ < width_ && kinds_[*label_] == Cell::text) return find_by_label();
    if (texts_ == 0) return find_among_numbers();
    if (numbers_ == 0) return find_among_texts();
    return find_in_mixture();
  }

 private:
  [[nodiscard]] std::string_view first(std::size_t column) const { return sample_.cell(0, column); }
  [[nodiscard]] bool has_second() const { return sample_.size() > 1; }
  /// The kind of the cell below; missing where there is none.
  [[nodiscard]] Cell below(std::size_t column) const {
    if (!has_second() || column >= sample_.cells(1)) return Cell::missing;
    return kind_of(sample_.cell(1, column));
  }
  /// True if most columns under numbers hold numbers with decimals further down, as rows of floats do.
  [[nodiscard]] bool stands_above_floats() const {
    std::size_t floats = 0;
    for (std::size_t column = 0; column < width_; ++column) {
      if (kinds_[column] != Cell::number) continue;
      bool has_decimals = false;
      for (std::size_t record = 1; record < sample_.size() && !has_decimals; ++record) {
        has_decimals = column < sample_.cells(record) &&
                       sample_.cell(record, column).find_first_of(".eE") != std::string_view::npos;
      }
      floats += has_decimals ? 1 : 0;
    }
    return floats > 0 && 2 * floats >= numbers_;
  }
  /// True if every number further down has decimals, as pandas writes a column of floats, and there are
  /// several.
  [[nodiscard]] bool stands_above_decimals_alone() const {
    constexpr std::size_t kEnoughRows = 3;
    for (std::size_t record = 1; record < sample_.size(); ++record) {
      for (const std::string_view cell : sample_.row(record)) {
        if (kind_of(cell) == Cell::number && cell.find_first_of(".eE") == std::string_view::npos)
          return false;
      }
    }
    return sample_.size() > kEnoughRows;
  }
  [[nodiscard]] bool second_counts_too() const { return has_second() && counts_from(sample_, 1).has_value(); }
  [[nodiscard]] std::string taken(std::string_view as, std::string_view otherwise) const {
    return fmt::format("{}: line {} is taken for {}: {}. If it is not, give --header {}", path_,
                       sample_.line(0), as, quoted_record(sample_, 0), otherwise);
  }
  [[nodiscard]] HeaderFinding header_with_doubt() const { return {true, taken("the header", "no")}; }
  [[noreturn]] void refuse(const std::string& what) const {
    fail(path_, "line {} {}: {}. Give --header no if it is a row, --header yes if it names the columns",
         sample_.line(0), what, quoted_record(sample_, 0));
  }

  /// The only text is a label, or the name of the labels.
  [[nodiscard]] HeaderFinding find_by_label() const {
    if (is_label_name(first(*label_)) && (numbers_ == 0 || counts_from(sample_, 0) || numbers_ == 1))
      return {true, ""};
    if (!has_second() || below(*label_) == Cell::text) return row_with_text();
    if (numbers_ == 0) return {true, ""};
    if (counts_from(sample_, 0)) return header_with_doubt();
    refuse("has numbers and a text in the labels' column, above labels that are numbers");
  }

  /// Texts above texts are no names, unless years or numbers beside them are.
  [[nodiscard]] HeaderFinding row_with_text() const {
    for (std::size_t column = 0; column < width_; ++column) {
      if (kinds_[column] == Cell::number && !whole_number(first(column))) return {};
    }
    if (numbers_ > 0 && stands_above_floats()) refuse("mixes numbers and text");
    return {};
  }

  [[nodiscard]] HeaderFinding find_among_numbers() const {
    constexpr std::int64_t kFirstYear = 1000;  // numbers of years and the like are common as names
    if (is_only_name() && has_second()) return find_by_only_name();
    const std::optional<std::int64_t> start = counts_from(sample_, 0);
    if (!start || !has_second() || second_counts_too()) return {};
    if (width_ > 1 && numbers_ + 1 == width_ && first(0).empty() && *start == 0) return header_with_doubt();
    if (numbers_ < width_) return {};
    if (width_ == 2) {
      if (*start == 0 && stands_above_decimals_alone()) return header_with_doubt();
      return {false, *start == 0 || (*start == 1 && stands_above_floats()) ? taken("a row", "yes") : ""};
    }
    if (*start != 0 && *start != 1 && *start < kFirstYear) return {};
    if (*start <= 1 && stands_above_floats()) return header_with_doubt();
    refuse("counts up from cell to cell, as column numbers or years do");
  }

  /// The text of the line's number; empty where there is none, or more than one.
  [[nodiscard]] std::string_view only_number() const {
    const auto place = std::find(kinds_.begin(), kinds_.end(), Cell::number);
    return numbers_ == 1 ? first(static_cast<std::size_t>(place - kinds_.begin())) : std::string_view();
  }
  /// True for pandas' name of an only column, maybe behind that of the index of the rows.
  [[nodiscard]] bool is_only_name() const {
    if (width_ == 2) return first(1) == kOnlyName && (first(0).empty() || first(0) == "Unnamed: 0");
    return width_ == 1 && first(0) == kOnlyName;
  }
  /// As a row, a line with an index's name would have a gap or a text.
  [[nodiscard]] HeaderFinding find_by_only_name() const {
    if (width_ == 2) return sample_.row(1).front().empty() ? HeaderFinding{} : header_with_doubt();
    return stands_above_decimals_alone() ? header_with_doubt() : HeaderFinding{false, taken("a row", "yes")};
  }

  /// A single wrong cell makes a text of a row's only number.
  [[nodiscard]] HeaderFinding find_among_texts() const {
    constexpr std::size_t kFewCells = 2;
    const bool looks_like_numbers = width_ <= kFewCells && [this] {
      for (std::size_t column = 0; column < width_; ++column) {
        if (kinds_[column] != Cell::text) continue;
        const std::string_view cell = first(column);
        if (cell.find_first_of("0123456789") == std::string_view::npos) return false;
        if (std::string_view("0123456789+-.,").find(cell.front()) == std::string_view::npos) return false;
      }
      return true;
    }();
    return looks_like_numbers ? header_with_doubt() : HeaderFinding{true, ""};
  }

  [[nodiscard]] HeaderFinding find_in_mixture() const {
    bool all_above_texts = true;  // as in a row with texts among its cells
    bool none_above_text = true;
    bool has_label_name = false;
    bool is_beside_label = false;  // the only name of pandas, 0, beside a column of labels
    for (std::size_t column = 0; column < width_; ++column) {
      if (kinds_[column] != Cell::text) continue;
      const bool above_text = below(column) == Cell::text;
      all_above_texts = all_above_texts && above_text;
      none_above_text = none_above_text && !above_text;
      has_label_name = has_label_name || may_name_labels(first(column));
      is_beside_label = is_beside_label || is_label_name(first(column));
    }
    is_beside_label = is_beside_label && texts_ == 1 && only_number() == kOnlyName;
    const bool counts = counts_from(sample_, 0).has_value() || is_only_name() || is_beside_label;
    if (counts && has_second() && has_label_name) return {true, ""};
    if (counts && has_second() && none_above_text) return header_with_doubt();
    if ((!counts || second_counts_too()) && has_second() && all_above_texts && !has_label_name)
      return row_with_text();
    refuse("mixes numbers and text");
  }

  const std::string& path_;
  const CsvSample& sample_;
  std::optional<std::size_t> label_;
  std::size_t width_;
  std::vector<Cell> kinds_;
  std::size_t numbers_ = 0;
  std::size_t texts_ = 0;
};

}  // namespace

std::string quoted_record(const CsvSample& sample, std::size_t record) {
  constexpr std::size_t kMostCells = 12;
  std::string text;
  const std::size_t cells = sample.cells(record);
  for (std::size_t column = 0; column < std::min(cells, kMostCells); ++column) {
    if (column > 0) text += ",";
    text += sample.cell(record, column);
  }
  return in_quotes(cells > kMostCells ? text + ",…" : text);
}

HeaderFinding find_header(const std::string& path, const CsvSample& sample,
                          std::optional<std::size_t> label) {
  return FirstLine(path, sample, label).find();
}

}  // namespace vaecuda::data
