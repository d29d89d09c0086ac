#include "host/data/array_file_rows.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/data/file_rows.hpp"
#include "host/data/labels.hpp"
#include "host/data/message.hpp"
#include "host/data/source_facts.hpp"

namespace vaecuda::data {
namespace {

class ArrayFileRows final : public FileRows {
 public:
  ArrayFileRows(const DataSource& source, std::unique_ptr<ByteSource> content,
                ArrayHeader (*read_header)(ByteSource& bytes))
      : FileRows(source, std::move(content)), array_(bytes(), read_header(bytes())) {
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

}  // namespace

std::unique_ptr<RowSource> open_array_file(const DataSource& source, std::unique_ptr<ByteSource> bytes,
                                           ArrayHeader (*read_header)(ByteSource& bytes)) {
  return std::make_unique<ArrayFileRows>(source, std::move(bytes), read_header);
}

}  // namespace vaecuda::data
