// Rows on demand: over memory, and over files that are read block by block.
#include "vaecuda/row_source.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <new>
#include <system_error>
#include <utility>

#include "host/data/array.hpp"
#include "host/data/bytes.hpp"
#include "host/data/csv.hpp"
#include "host/data/format.hpp"
#include "host/data/forwarded_rows.hpp"
#include "host/data/idx.hpp"
#include "host/data/labels.hpp"
#include "host/data/load.hpp"
#include "host/data/message.hpp"
#include "host/data/npy.hpp"
#include "host/data/shapes.hpp"
#include "host/data/source_facts.hpp"

namespace vaecuda {
namespace data {
namespace {

const std::vector<std::string>& no_names() {
  static const std::vector<std::string> kNone;
  return kNone;
}

const std::string& no_name() {
  static const std::string kNone;
  return kNone;
}

/// Another source's rows, all with the same label.
class LabelledRows final : public ForwardedRows {
 public:
  LabelledRows(RowSource& rows, std::string label) : ForwardedRows(rows), names_{std::move(label)} {}
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    const std::span<const float> block = ForwardedRows::next(most);
    labels_.assign(block.size() / static_cast<std::size_t>(columns()), 0);
    return block;
  }
  [[nodiscard]] bool has_labels() const override { return true; }
  [[nodiscard]] std::span<const std::int32_t> labels() const override { return labels_; }
  [[nodiscard]] const std::vector<std::string>& label_names() const override { return names_; }
  [[nodiscard]] bool has_label_vectors() const override { return false; }
  [[nodiscard]] std::span<const float> label_vectors() const override { return {}; }
  [[nodiscard]] const std::vector<std::string>& label_vector_names() const override { return no_names(); }
  [[nodiscard]] const std::string& label_column() const override { return no_name(); }

 private:
  std::vector<std::string> names_;
  std::vector<std::int32_t> labels_;
};

class MemoryRows final : public RowSource {
 public:
  MemoryRows(std::span<const float> values, std::int64_t columns, std::string name)
      : values_(values), columns_(columns), name_(std::move(name)) {
    if (columns < 1 || static_cast<std::int64_t>(values.size()) % columns != 0) {
      throw ConfigError(
          fmt::format("{}: {} values cannot be cut into rows of {}", name_, values.size(), columns));
    }
  }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t columns() const override { return columns_; }
  [[nodiscard]] std::optional<std::int64_t> rows() const override {
    return static_cast<std::int64_t>(values_.size()) / columns_;
  }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    const std::int64_t count = std::min(most, *rows() - done_);
    const auto block = values_.subspan(static_cast<std::size_t>(done_ * columns_),
                                       static_cast<std::size_t>(count * columns_));
    done_ += count;
    return block;
  }

 private:
  std::span<const float> values_;
  std::int64_t columns_;
  std::string name_;
  std::int64_t done_ = 0;
};

class DatasetRows final : public RowSource {
 public:
  explicit DatasetRows(const Dataset& data) : data_(data) {}
  explicit DatasetRows(std::unique_ptr<const Dataset> owned) : owned_(std::move(owned)), data_(*owned_) {}

  [[nodiscard]] const std::string& name() const override { return data_.name(); }
  [[nodiscard]] std::int64_t columns() const override { return data_.columns(); }
  [[nodiscard]] std::optional<std::int64_t> rows() const override { return data_.rows(); }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    first_ += count_;
    count_ = std::min(most, data_.rows() - first_);
    const auto begin = static_cast<std::size_t>(first_ * data_.columns());
    const auto size = static_cast<std::size_t>(count_ * data_.columns());
    if (data_.type() == ElementType::f32) return data_.f32().subspan(begin, size);
    const auto bytes = data_.u8().subspan(begin, size);
    converted_.assign(bytes.begin(), bytes.end());
    return converted_;
  }
  [[nodiscard]] bool has_labels() const override { return !data_.labels().empty(); }
  [[nodiscard]] std::span<const std::int32_t> labels() const override {
    if (!has_labels()) return {};
    return data_.labels().subspan(static_cast<std::size_t>(first_), static_cast<std::size_t>(count_));
  }
  [[nodiscard]] const std::vector<std::string>& label_names() const override { return data_.label_names(); }
  [[nodiscard]] bool has_label_vectors() const override { return !data_.label_vectors().empty(); }
  [[nodiscard]] std::span<const float> label_vectors() const override {
    const auto size = static_cast<std::size_t>(data_.label_vector_size());
    return data_.label_vectors().subspan(static_cast<std::size_t>(first_) * size,
                                         static_cast<std::size_t>(count_) * size);
  }
  [[nodiscard]] const std::vector<std::string>& label_vector_names() const override {
    return data_.label_vector_names();
  }
  [[nodiscard]] std::span<const std::int32_t> factors() const override {
    const std::size_t count = data_.factor_names().size();
    return data_.factors().subspan(static_cast<std::size_t>(first_) * count,
                                   static_cast<std::size_t>(count_) * count);
  }
  [[nodiscard]] const std::vector<std::string>& factor_names() const override { return data_.factor_names(); }
  [[nodiscard]] std::optional<ImageShape> image() const override { return data_.image(); }
  [[nodiscard]] const std::vector<std::string>& column_names() const override { return data_.column_names(); }
  [[nodiscard]] ReadNotes notes() const override { return data_.notes(); }
  [[nodiscard]] const std::string& label_column() const override { return data_.label_column(); }

 private:
  std::unique_ptr<const Dataset> owned_;
  const Dataset& data_;
  std::int64_t first_ = 0;  ///< of the block given last
  std::int64_t count_ = 0;
  std::vector<float> converted_;
};

/// A file that is read on demand, with labels from elsewhere.
class FileRows : public RowSource {
 public:
  FileRows(const DataSource& source, std::unique_ptr<ByteSource> bytes)
      : source_(source), bytes_(std::move(bytes)) {}
  [[nodiscard]] const std::string& name() const override { return source_.path; }
  [[nodiscard]] std::optional<ImageShape> image() const override { return source_.image; }

 protected:
  /// To be called once the width is known.
  void check_image(std::int64_t columns) const {
    Dataset probe(std::vector<float>(static_cast<std::size_t>(columns)), 1, columns);
    probe.set_name(source_.path);
    probe.set_image(source_.image);
  }
  [[nodiscard]] const DataSource& source() const { return source_; }
  [[nodiscard]] ByteSource& bytes() { return *bytes_; }

 private:
  DataSource source_;
  std::unique_ptr<ByteSource> bytes_;
};

class ArrayFileRows final : public FileRows {
 public:
  ArrayFileRows(const DataSource& source, std::unique_ptr<ByteSource> content, FileFormat format)
      : FileRows(source, std::move(content)),
        array_(bytes(), format == FileFormat::npy ? read_npy_header(bytes()) : read_idx_header(bytes())) {
    if (source.image) check_image(columns());
    warnings_ = rounding_warnings(bytes(), array_.header());
    if (source.labels_path.empty()) return;
    LabelFile file = read_labels(source.labels_path, array_.shape().rows, source.label_vector_columns);
    warnings_.insert(warnings_.end(), file.warnings.begin(), file.warnings.end());
    if (file.vectors) {
      vectors_ = take_label_vectors(*file.vectors, source.labels_path, source.path, array_.shape().rows);
      vector_size_ = static_cast<std::size_t>(file.vectors->columns());
      vector_names_ = file.vectors->column_names();
      return;
    }
    labels_ = std::move(file.labels);
    check_label_count(labels_, source.labels_path, source.path, array_.shape().rows);
  }
  [[nodiscard]] std::int64_t columns() const override { return array_.shape().columns; }
  [[nodiscard]] std::optional<std::int64_t> rows() const override { return array_.shape().rows; }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    first_ += count_;
    count_ = std::min(most, array_.shape().rows - first_);
    block_.resize(static_cast<std::size_t>(count_ * columns()));
    if (count_ > 0) array_.read(block_);
    return block_;
  }
  [[nodiscard]] bool has_labels() const override { return !labels_.values.empty(); }
  [[nodiscard]] std::span<const std::int32_t> labels() const override {
    if (!has_labels()) return {};
    return std::span(labels_.values)
        .subspan(static_cast<std::size_t>(first_), static_cast<std::size_t>(count_));
  }
  [[nodiscard]] const std::vector<std::string>& label_names() const override { return labels_.names; }
  [[nodiscard]] bool has_label_vectors() const override { return vector_size_ > 0; }
  [[nodiscard]] std::span<const float> label_vectors() const override {
    return std::span(vectors_).subspan(static_cast<std::size_t>(first_) * vector_size_,
                                       static_cast<std::size_t>(count_) * vector_size_);
  }
  [[nodiscard]] const std::vector<std::string>& label_vector_names() const override { return vector_names_; }
  [[nodiscard]] std::optional<ImageShape> image() const override {
    return source().image ? source().image : array_.shape().image;
  }
  [[nodiscard]] ReadNotes notes() const override {
    SourceFacts facts{std::string(name_of(array_.header().scalar)), "",
                      picture_warnings(name(), array_.header().dims)};
    facts.warnings.insert(facts.warnings.end(), warnings_.begin(), warnings_.end());
    std::string labels;
    if (has_label_vectors()) {
      labels = fmt::format("vectors of {}", vector_size_);
    } else if (has_labels()) {
      const std::size_t classes = labels_.names.size();
      labels = fmt::format("{} {}", classes, classes == 1 ? "class" : "classes");
    }
    if (!labels.empty()) facts.labels = "labels from " + source().labels_path;
    return notes_of(facts, describe(name(), rows(), columns()), labels);
  }

 private:
  ArrayRows array_;
  Labels labels_;
  std::vector<float> vectors_;  ///< in place of labels: rows × vector_size_
  std::size_t vector_size_ = 0;
  std::vector<std::string> vector_names_;
  std::vector<std::string> warnings_;  ///< of the elements and of the labels
  std::vector<float> block_;
  std::int64_t first_ = 0;  ///< of the block given last
  std::int64_t count_ = 0;
};

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

std::unique_ptr<RowSource> load_whole(const DataSource& source, DataPart part) {
  return std::make_unique<DatasetRows>(std::make_unique<Dataset>(load_dataset(source, part)));
}

std::unique_ptr<RowSource> open(const DataSource& source, DataPart part) {
  std::error_code error;
  const bool built_in_or_folder = is_shapes(source.path) || std::filesystem::is_directory(source.path, error);
  if (part == DataPart::test || built_in_or_folder) return load_whole(source, part);
  auto bytes = std::make_unique<ByteSource>(source.path);
  const FileFormat format = detect_format(*bytes);
  // How many labels a text file must hold is known only when the table has been read to its end.
  if (format == FileFormat::cifar || (format == FileFormat::csv && !source.labels_path.empty())) {
    return std::make_unique<DatasetRows>(std::make_unique<Dataset>(load_opened(source, *bytes, format)));
  }
  check_label_request(source, format == FileFormat::csv);
  if (format == FileFormat::csv) return std::make_unique<CsvFileRows>(source, std::move(bytes));
  return std::make_unique<ArrayFileRows>(source, std::move(bytes), format);
}

}  // namespace
}  // namespace data

const std::vector<std::string>& RowSource::label_names() const {
  return data::no_names();
}

const std::vector<std::string>& RowSource::label_vector_names() const {
  return data::no_names();
}

const std::vector<std::string>& RowSource::factor_names() const {
  return data::no_names();
}

const std::vector<std::string>& RowSource::column_names() const {
  return data::no_names();
}

ReadNotes RowSource::notes() const {
  return {data::describe(name(), rows(), columns()), {}};
}

const std::string& RowSource::label_column() const {
  return data::no_name();
}

std::unique_ptr<RowSource> open_rows(const DataSource& source, DataPart part) {
  if (source.path.empty()) throw ConfigError("no data: the path is empty; give a file, a folder, or shapes");
  try {
    return data::open(source, part);
  } catch (const std::bad_alloc&) {
    throw OutOfMemoryError(source.path +
                           ": does not fit in memory; use fewer rows or a machine with more memory");
  }
}

std::unique_ptr<RowSource> rows_of(const Dataset& data) {
  return std::make_unique<data::DatasetRows>(data);
}

std::unique_ptr<RowSource> rows_of(std::span<const float> values, std::int64_t columns, std::string name) {
  return std::make_unique<data::MemoryRows>(values, columns, std::move(name));
}

std::unique_ptr<RowSource> with_label(RowSource& rows, std::string label) {
  return std::make_unique<data::LabelledRows>(rows, std::move(label));
}

}  // namespace vaecuda
