#include "host/data/csv_format.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/data/csv.hpp"
#include "host/data/file_rows.hpp"
#include "host/data/format.hpp"
#include "host/data/source_facts.hpp"

namespace vaecuda::data {
namespace {

// Of the first bytes alone: what is wrong further on is told with its line. Names in quotes may hold anything
// but a zero byte.
bool is_text(const ByteSource&, std::span<const std::uint8_t> head) {
  head = head.first(std::min<std::size_t>(head.size(), 512));
  bool is_quoted = false;
  return std::none_of(head.begin(), head.end(), [&is_quoted](std::uint8_t byte) {
    if (byte == '"') is_quoted = !is_quoted;
    const bool is_control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
    return is_quoted ? byte == 0 : is_control;
  });
}

class CsvFileRows final : public FileRows {
 public:
  CsvFileRows(const DataSource& source, std::unique_ptr<ByteSource> content)
      : FileRows(source, std::move(content)),
        table_(bytes(), TableRequest(source)),
        names_(table_.names()),
        label_column_(table_.label_column()) {
    if (source.image) check_image(columns());
  }
  [[nodiscard]] std::int64_t columns() const override { return table_.width(); }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    block_.clear();
    labels_.clear();
    for (std::int64_t i = 0; i < most && !ended_; ++i) {
      ended_ = !table_.next();
      if (ended_) break;
      const std::span<const float> row = table_.values();
      block_.insert(block_.end(), row.begin(), row.end());
      if (table_.has_labels()) add_label();
    }
    return block_;
  }
  [[nodiscard]] bool has_labels() const override { return table_.has_labels(); }
  [[nodiscard]] std::span<const std::int32_t> labels() const override { return labels_; }
  [[nodiscard]] const std::vector<std::string>& label_names() const override { return label_names_; }
  [[nodiscard]] const std::vector<std::string>& column_names() const override { return names_; }
  [[nodiscard]] ReadNotes notes() const override {
    return notes_of(table_.facts(), describe(name(), std::nullopt, columns()), "");
  }
  [[nodiscard]] const std::string& label_column() const override { return label_column_; }

 private:
  void add_label() {
    auto place = seen_.find(table_.label());
    if (place == seen_.end()) {
      place = seen_.emplace(table_.label(), static_cast<std::int32_t>(label_names_.size())).first;
      label_names_.emplace_back(table_.label());
    }
    labels_.push_back(place->second);
  }

  CsvRows table_;
  std::vector<std::string> names_;
  std::string label_column_;
  std::map<std::string, std::int32_t, std::less<>> seen_;
  std::vector<std::string> label_names_;
  std::vector<float> block_;
  std::vector<std::int32_t> labels_;
  bool ended_ = false;
};

LabelFile read_csv_labels(ByteSource& bytes, std::int64_t rows, const std::vector<std::string>& columns) {
  if (count_csv_cells(bytes) < 2) return read_label_csv(bytes, rows);
  return read_label_table(bytes, columns);
}

}  // namespace

// How many labels a text file must hold is known only when the table has been read to its end.
constinit const Format kCsvFormat = {
    .name = "CSV text",
    .labels_name = "a CSV file with one label per line",
    .table_name = "a CSV table",
    .yields_to_foreign = true,
    .is_it = is_text,
    .read = [](const DataSource& source, ByteSource& bytes) { return read_csv(bytes, TableRequest(source)); },
    .read_labels = read_csv_labels,
    .open = [](const DataSource& source, std::unique_ptr<ByteSource> bytes) -> std::unique_ptr<RowSource> {
      return std::make_unique<CsvFileRows>(source, std::move(bytes));
    },
};

}  // namespace vaecuda::data
