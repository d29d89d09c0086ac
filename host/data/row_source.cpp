// Rows on demand: over memory, and over files that are read block by block.
#include "vaecuda/row_source.hpp"

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "host/data/bytes.hpp"
#include "host/data/format.hpp"
#include "host/data/forwarded_rows.hpp"
#include "host/data/labels.hpp"
#include "host/data/load.hpp"
#include "host/data/message.hpp"
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
    const auto width = static_cast<std::size_t>(data_.columns());
    const auto size = static_cast<std::size_t>(count_) * width;
    if (data_.type() == ElementType::f32)
      return data_.f32().subspan(static_cast<std::size_t>(first_) * width, size);
    converted_.resize(size);
    for (std::int64_t i = 0; i < count_; ++i)
      data_.copy_row(first_ + i, std::span(converted_).subspan(static_cast<std::size_t>(i) * width, width));
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

std::unique_ptr<RowSource> load_whole(const DataSource& source, DataPart part) {
  return std::make_unique<DatasetRows>(std::make_unique<Dataset>(load_dataset(source, part)));
}

std::unique_ptr<RowSource> open(const DataSource& source, DataPart part) {
  std::error_code error;
  const bool built_in_or_folder = is_shapes(source.path) || std::filesystem::is_directory(source.path, error);
  if (part == DataPart::test || built_in_or_folder) return load_whole(source, part);
  auto bytes = std::make_unique<ByteSource>(source.path);
  const Format& format = detect_format(*bytes);
  if (format.open == nullptr || (!source.labels_path.empty() && !format.streams_with_labels)) {
    return std::make_unique<DatasetRows>(std::make_unique<Dataset>(load_opened(source, *bytes, format)));
  }
  check_label_request(source, !format.table_name.empty());
  return format.open(source, std::move(bytes));
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
