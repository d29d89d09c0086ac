#include "vaecuda/dataset.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "host/data/message.hpp"
#include "host/data/source_facts.hpp"
#include "host/data/sparse.hpp"

namespace vaecuda {
namespace {

void check_size(std::size_t size, std::int64_t rows, std::int64_t columns) {
  if (rows < 0 || columns < 1) {
    throw ConfigError(fmt::format(
        "a data set of {} rows and {} columns; expected no negative number of rows and at least 1 column",
        rows, columns));
  }
  const bool overflows = rows > std::numeric_limits<std::int64_t>::max() / columns;
  if (overflows || static_cast<std::int64_t>(size) != rows * columns) {
    throw ConfigError(
        fmt::format("a data set of {} rows and {} columns was given {} values; expected rows × columns", rows,
                    columns, size));
  }
}

// The chosen rows of a row-major matrix.
template <class T>
std::vector<T> take_rows(const std::vector<T>& values, std::span<const std::int64_t> rows,
                         std::int64_t columns) {
  std::vector<T> taken;
  taken.reserve(rows.size() * static_cast<std::size_t>(columns));
  for (const std::int64_t row : rows) {
    const auto begin = values.begin() + row * columns;
    taken.insert(taken.end(), begin, begin + columns);
  }
  return taken;
}

// The chosen columns of a row-major matrix.
template <class T>
std::vector<T> take_columns(const std::vector<T>& values, std::int64_t width,
                            std::span<const std::int64_t> columns) {
  std::vector<T> taken;
  taken.reserve(values.size() / static_cast<std::size_t>(width) * columns.size());
  for (auto row = values.begin(); row != values.end(); row += width) {
    for (const std::int64_t column : columns) taken.push_back(row[column]);
  }
  return taken;
}

}  // namespace

Dataset::Dataset(std::vector<std::uint8_t> values, std::int64_t rows, std::int64_t columns)
    : rows_(rows), columns_(columns), type_(ElementType::u8), u8_(std::move(values)) {
  check_size(u8_.size(), rows, columns);
}

Dataset::Dataset(std::vector<float> values, std::int64_t rows, std::int64_t columns)
    : rows_(rows), columns_(columns), type_(ElementType::f32), f32_(std::move(values)) {
  check_size(f32_.size(), rows, columns);
}

Dataset::Dataset(SparseRows rows)
    : rows_(rows.rows()), columns_(rows.columns()), type_(ElementType::sparse), sparse_(std::move(rows)) {
  if (columns_ < 1) throw ConfigError("a data set of sparse rows without columns; expected at least 1");
}

std::int64_t Dataset::bytes() const {
  return static_cast<std::int64_t>(u8_.size() * sizeof(std::uint8_t) + f32_.size() * sizeof(float)) +
         sparse_.bytes();
}

std::int64_t Dataset::stored() const {
  return type_ == ElementType::sparse ? sparse_.stored() : rows_ * columns_;
}

void Dataset::copy_row(std::int64_t row, std::span<float> to) const {
  if (row < 0 || row >= rows_ || static_cast<std::int64_t>(to.size()) != columns_) {
    throw ConfigError(fmt::format("{}: row {} of {} into room for {}; expected a row that exists and {}",
                                  name_, row, data::counted(rows_, "row"),
                                  data::counted(static_cast<std::int64_t>(to.size()), "value"), columns_));
  }
  const auto first = static_cast<std::size_t>(row * columns_);
  switch (type_) {
    case ElementType::u8:
      std::copy_n(u8().subspan(first).begin(), to.size(), to.begin());
      break;
    case ElementType::f32:
      std::copy_n(f32().subspan(first).begin(), to.size(), to.begin());
      break;
    case ElementType::sparse:
      sparse_.copy_row(row, to);
      break;
  }
}

ReadNotes Dataset::notes() const {
  if (!notes_.description.empty()) return notes_;
  return {data::describe(name_, rows_, columns_), notes_.warnings};
}

void Dataset::set_image(std::optional<ImageShape> image) {
  // Each side is bounded by the columns before they are multiplied, so that the product cannot overflow.
  const auto is_side = [this](std::int64_t side) { return side >= 1 && side <= columns_; };
  if (image) {
    const bool sides_fit = is_side(image->height) && is_side(image->width) && is_side(image->channels) &&
                           image->height <= columns_ / image->width;
    if (!sides_fit || image->size() != columns_) {
      throw ConfigError(
          fmt::format("{}: picture shape {}x{}x{} does not fit rows of {} values; expected height x width x "
                      "channels to be that number",
                      name_, image->height, image->width, image->channels, columns_));
    }
  }
  image_ = image;
}

void Dataset::set_labels(std::vector<std::int32_t> labels, std::vector<std::string> names) {
  if (static_cast<std::int64_t>(labels.size()) != rows_) {
    throw ConfigError(fmt::format("{}: {} for {}; expected one per row", name_,
                                  data::counted(static_cast<std::int64_t>(labels.size()), "label"),
                                  data::counted(rows_, "row")));
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || static_cast<std::size_t>(labels[row]) >= names.size()) {
      throw ConfigError(fmt::format("{}: row {} has class index {}, but there are {} classes", name_, row,
                                    labels[row], names.size()));
    }
  }
  labels_ = std::move(labels);
  label_names_ = std::move(names);
  label_vectors_.clear();
  label_vector_names_.clear();
}

void Dataset::set_label_vectors(std::vector<float> vectors) {
  if (vectors.empty() || rows_ == 0 || vectors.size() % static_cast<std::size_t>(rows_) != 0) {
    throw ConfigError(
        fmt::format("{}: {} values of label vectors for {}; expected the same number for each row", name_,
                    vectors.size(), data::counted(rows_, "row")));
  }
  label_vectors_ = std::move(vectors);
  label_vector_names_.clear();
  labels_.clear();
  label_names_.clear();
}

void Dataset::set_label_vector_names(std::vector<std::string> names) {
  const auto count = static_cast<std::int64_t>(names.size());
  if (count != 0 && count != label_vector_size()) {
    throw ConfigError(fmt::format("{}: {} for label vectors of {}; expected one for each number", name_,
                                  data::counted(count, "name"), label_vector_size()));
  }
  label_vector_names_ = std::move(names);
}

void Dataset::set_factors(std::vector<std::int32_t> factors, std::vector<std::string> names) {
  if (factors.size() != static_cast<std::size_t>(rows_) * names.size()) {
    throw ConfigError(fmt::format("{}: {} factor values for {} and {}; expected one per row and factor",
                                  name_, factors.size(), data::counted(rows_, "row"),
                                  data::counted(static_cast<std::int64_t>(names.size()), "factor")));
  }
  factors_ = std::move(factors);
  factor_names_ = std::move(names);
}

Dataset Dataset::select(std::span<const std::int64_t> rows) const {
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= rows_) {
      throw ConfigError(fmt::format("{}: row {} does not exist; the data set has {}, counted from 0", name_,
                                    row, data::counted(rows_, "row")));
    }
  }
  Dataset selected;
  selected.name_ = name_;
  selected.notes_ = notes();
  selected.rows_ = static_cast<std::int64_t>(rows.size());
  selected.columns_ = columns_;
  selected.type_ = type_;
  selected.u8_ = type_ == ElementType::u8 ? take_rows(u8_, rows, columns_) : std::vector<std::uint8_t>();
  selected.f32_ = type_ == ElementType::f32 ? take_rows(f32_, rows, columns_) : std::vector<float>();
  if (type_ == ElementType::sparse) selected.sparse_ = data::select_rows(sparse_, rows);
  selected.image_ = image_;
  selected.column_names_ = column_names_;
  selected.label_column_ = label_column_;
  if (!labels_.empty()) selected.labels_ = take_rows(labels_, rows, 1);
  selected.label_names_ = label_names_;
  if (!label_vectors_.empty()) selected.label_vectors_ = take_rows(label_vectors_, rows, label_vector_size());
  selected.label_vector_names_ = label_vector_names_;
  if (!factor_names_.empty()) {
    selected.factors_ = take_rows(factors_, rows, static_cast<std::int64_t>(factor_names_.size()));
  }
  selected.factor_names_ = factor_names_;
  return selected;
}

Dataset Dataset::select_columns(std::span<const std::int64_t> columns) const {
  for (const std::int64_t column : columns) {
    if (column < 0 || column >= columns_) {
      throw ConfigError(fmt::format("{}: column {} does not exist; the data set has {}, counted from 0",
                                    name_, column, data::counted(columns_, "column")));
    }
  }
  if (columns.empty())
    throw ConfigError(fmt::format("{}: no column is chosen; expected at least one", name_));
  Dataset selected;
  selected.name_ = name_;
  selected.notes_ = notes();
  selected.rows_ = rows_;
  selected.columns_ = static_cast<std::int64_t>(columns.size());
  selected.type_ = type_;
  selected.u8_ = take_columns(u8_, columns_, columns);
  selected.f32_ = take_columns(f32_, columns_, columns);
  if (type_ == ElementType::sparse) selected.sparse_ = data::select_columns(sparse_, columns);
  selected.label_column_ = label_column_;
  selected.labels_ = labels_;
  selected.label_names_ = label_names_;
  selected.label_vectors_ = label_vectors_;
  selected.label_vector_names_ = label_vector_names_;
  selected.factors_ = factors_;
  selected.factor_names_ = factor_names_;
  if (column_names_.empty()) return selected;
  for (const std::int64_t column : columns) {
    selected.column_names_.push_back(column_names_[static_cast<std::size_t>(column)]);
  }
  return selected;
}

}  // namespace vaecuda
