// Arrays in a program's memory as rows and labels.
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "host/data/array.hpp"
#include "host/data/csv_columns.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/message.hpp"
#include "host/data/number.hpp"
#include "host/data/rounding.hpp"
#include "host/data/scalar.hpp"
#include "host/data/storage.hpp"
#include "vaecuda/array.hpp"

namespace vaecuda {
namespace data {
namespace {

static_assert(static_cast<int>(NumberType::boolean) == static_cast<int>(Scalar::b1));
static_assert(static_cast<int>(NumberType::f64) == static_cast<int>(Scalar::f64));

Scalar scalar_of(NumberType type) {
  return static_cast<Scalar>(type);
}

std::int64_t element_bytes(NumberType type) {
  return type == NumberType::text ? static_cast<std::int64_t>(sizeof(const char*))
                                  : scalar_bytes(scalar_of(type));
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

/// Where the elements of a row lie: bytes from the row's first, and from row to row.
struct Layout {
  std::int64_t row = 0;
  std::vector<std::int64_t> columns;
};

Layout layout_of(const std::vector<std::int64_t>& shape, std::vector<std::int64_t> strides,
                 std::int64_t element) {
  if (strides.empty()) {
    strides.assign(shape.size(), element);
    for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  }
  Layout layout;
  layout.row = strides.front();
  layout.columns = {0};
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    std::vector<std::int64_t> next;
    next.reserve(layout.columns.size() * static_cast<std::size_t>(shape[axis]));
    for (const std::int64_t start : layout.columns) {
      for (std::int64_t i = 0; i < shape[axis]; ++i) next.push_back(start + i * strides[axis]);
    }
    layout.columns = std::move(next);
  }
  return layout;
}

/// An array whose shape has been checked, element by element.
class Elements {
 public:
  Elements(const ArrayView& array, const std::string& name) : array_(array), name_(name) {
    const std::vector<std::int64_t>& shape = array.shape;
    if (shape.empty())
      throw ConfigError(name + ": holds a single number; expected an array with one row per sample");
    check_sizes();
    const auto fits = [&](const std::vector<std::int64_t>& strides) {
      return strides.empty() || strides.size() == shape.size();
    };
    if (!fits(array.strides) || !fits(array.mask_strides)) {
      throw ConfigError(
          fmt::format("{}: has {} axes, but strides of another number of axes", name, shape.size()));
    }
    if (rows_ > 0 && array.data == nullptr) throw ConfigError(name + ": its data are a null pointer");
    values_ = layout_of(shape, array.strides, element_bytes(array.type));
    if (array.mask != nullptr) masks_ = layout_of(shape, array.mask_strides, 1);
  }

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return static_cast<std::int64_t>(values_.columns.size()); }
  [[nodiscard]] NumberType type() const { return array_.type; }
  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] bool is_missing(std::int64_t row, std::int64_t column) const {
    if (array_.mask == nullptr) return false;
    return *(array_.mask + row * masks_.row + masks_.columns[static_cast<std::size_t>(column)]) != 0;
  }
  /// Bytes of an element.
  [[nodiscard]] const std::uint8_t* at(std::int64_t row, std::int64_t column) const {
    return static_cast<const std::uint8_t*>(array_.data) + row * values_.row +
           values_.columns[static_cast<std::size_t>(column)];
  }
  [[nodiscard]] const char* text(std::int64_t row) const { return decode<const char*>(at(row, 0), false); }
  [[nodiscard]] bool swapped() const { return array_.swapped; }
  [[nodiscard]] bool has_mask() const { return array_.mask != nullptr; }
  /// True where a row's elements stand side by side.
  [[nodiscard]] bool is_dense() const {
    const std::int64_t bytes = element_bytes(array_.type);
    return values_.columns.back() == (columns() - 1) * bytes &&
           std::adjacent_find(values_.columns.begin(), values_.columns.end(),
                              [=](std::int64_t a, std::int64_t b) { return b - a != bytes; }) ==
               values_.columns.end();
  }

 private:
  void check_sizes() {
    const std::vector<std::int64_t>& shape = array_.shape;
    std::int64_t most = std::numeric_limits<std::int64_t>::max() / 8;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] < (axis == 0 ? 0 : 1)) {
        throw ConfigError(
            fmt::format("{}: has the shape {}; a row has at least one value", name_, shape_text(shape)));
      }
      if (shape[axis] > most)
        throw ConfigError(fmt::format("{}: has more elements than fit in any memory", name_));
      most /= std::max<std::int64_t>(1, shape[axis]);
    }
    rows_ = shape.front();
  }

  const ArrayView& array_;
  const std::string& name_;
  std::int64_t rows_ = 0;
  Layout values_;
  Layout masks_;
};

[[noreturn]] void refuse(const Elements& from, const std::string& place, const std::string& reason) {
  fail(from.name(), "{} (counted from 0): {}", place, reason);
}

/// Why an element cannot be used, in the words of files.
[[noreturn]] void refuse_element(const Elements& from, std::int64_t row, std::int64_t column,
                                 const std::string& column_text) {
  const std::string place = fmt::format("row {}, {}", row, column_text);
  if (from.is_missing(row, column)) {
    refuse(from, place,
           "the value is masked (missing); every value must be there: fill it in or leave the row out");
  }
  with_type(scalar_of(from.type()), [&](auto type) {
    refuse(from, place, refusal(decode<decltype(type)>(from.at(row, column), from.swapped())));
  });
  throw ConfigError(from.name());  // with_type has thrown
}

/// Writes the elements as `To`, row by row with `stride` elements from row to row.
/// `column_text(c)` names a column in messages.
template <class To, class ColumnText>
void copy_elements(const Elements& from, To* to, std::int64_t stride, ColumnText&& column_text) {
  with_type(scalar_of(from.type()), [&](auto type) {
    using T = decltype(type);
    const bool swap = from.swapped() && sizeof(T) > 1;
    const bool dense = from.is_dense() && !swap;
    const std::int64_t columns = from.columns();
    for (std::int64_t row = 0; row < from.rows(); ++row) {
      To* const out = to + row * stride;
      bool usable = true;
      const auto take = [&](std::int64_t column, const std::uint8_t* bytes) {
        const T value = decode<T>(bytes, swap);
        usable &= is_usable(value);
        out[column] = static_cast<To>(to_f32(value));
      };
      if (dense) {
        const std::uint8_t* const first = from.at(row, 0);
        for (std::int64_t c = 0; c < columns; ++c) take(c, first + c * static_cast<std::int64_t>(sizeof(T)));
      } else {
        for (std::int64_t c = 0; c < columns; ++c) take(c, from.at(row, c));
      }
      for (std::int64_t c = 0; from.has_mask() && c < columns; ++c) usable &= !from.is_missing(row, c);
      if (usable) continue;
      for (std::int64_t c = 0; c < columns; ++c) {
        const bool bad = from.is_missing(row, c) || !is_usable(decode<T>(from.at(row, c), swap));
        if (bad) refuse_element(from, row, c, column_text(c));
      }
    }
  });
}

/// Shows the probe the first rows of an array, whose columns begin at `first` of the table.
void probe_rounding(const Elements& from, std::int64_t rows, std::int64_t first, RoundingProbe& probe) {
  if (from.type() != NumberType::f64 || rows == 0) return;
  for (std::int64_t column = 0; column < from.columns(); ++column) {
    std::vector<double> values;
    for (std::int64_t row = 0; row < rows; ++row) {
      if (!from.is_missing(row, column))
        values.push_back(decode<double>(from.at(row, column), from.swapped()));
    }
    probe.add(first + column, std::move(values));
  }
}

/// Classes of the labels. \throws FileError
Labels classes_of(const Elements& from) {
  LabelBuilder builder;
  MissingLabels missing;
  for (std::int64_t row = 0; row < from.rows(); ++row) {
    const std::string place = fmt::format("row {}", row);
    const bool no_text = from.type() == NumberType::text && from.text(row) == nullptr;
    if (no_text || from.is_missing(row, 0)) {
      missing.add(row, "");
      continue;
    }
    if (from.type() == NumberType::text) {
      if (is_missing(from.text(row))) missing.add(row, from.text(row));
      builder.add(std::string_view(from.text(row)));
      continue;
    }
    with_type(scalar_of(from.type()), [&](auto type) {
      const auto value = decode<decltype(type)>(from.at(row, 0), from.swapped());
      if (is_nan(value)) return missing.add(row, "nan");
      if (const std::string reason = label_refusal(value); !reason.empty()) refuse(from, place, reason);
      builder.add(to_label(value));
    });
  }
  if (missing.count > 0) refuse(from, fmt::format("row {}", missing.place), missing.message(from.rows()));
  return std::move(builder).finish();
}

void take_classes(Dataset& dataset, const Elements& from) {
  if (from.rows() != dataset.rows()) {
    throw ConfigError(fmt::format("{}: {} for the {} of {}; expected one label per row", from.name(),
                                  counted(from.rows(), "label"), counted(dataset.rows(), "row"),
                                  dataset.name()));
  }
  Labels labels = classes_of(from);
  dataset.set_labels(std::move(labels.values), std::move(labels.names));
}

/// The names of a table's columns, which all have one or none has.
std::vector<std::string> names_of(std::span<const ArrayView> columns) {
  std::vector<std::string> names;
  for (const ArrayView& column : columns) names.push_back(column.name);
  const auto named =
      std::count_if(names.begin(), names.end(), [](const auto& name) { return !name.empty(); });
  if (named == 0) return {};
  if (named < static_cast<std::ptrdiff_t>(names.size())) {
    const auto bare = std::find(names.begin(), names.end(), "") - names.begin();
    throw ConfigError(fmt::format(
        "memory: column {} (counted from 0) has no name, and others have; name all or none", bare));
  }
  return names;
}

}  // namespace
}  // namespace data

Dataset dataset_from_array(const ArrayView& array) {
  const std::string name = array.name.empty() ? Dataset{}.name() : array.name;
  if (array.type == NumberType::text) throw ConfigError(name + ": holds texts, but rows are numbers");
  if (array.shape.size() == 1) {
    throw ConfigError(fmt::format("{}: has the shape {}, but rows have two axes, (rows, columns)", name,
                                  data::shape_text(array.shape)));
  }
  const data::Elements from(array, name);
  const std::int64_t count = from.rows() * from.columns();
  const auto column_text = [](std::int64_t column) { return fmt::format("column {}", column); };
  const auto copy = [&](auto element) {
    std::vector<decltype(element)> values;
    data::reserve_elements(values, count, name);
    values.resize(static_cast<std::size_t>(count));
    data::copy_elements(from, values.data(), from.columns(), column_text);
    return Dataset(std::move(values), from.rows(), from.columns());
  };
  Dataset dataset = array.type == NumberType::u8 ? copy(std::uint8_t{}) : copy(float{});
  dataset.set_name(name);
  dataset.set_image(data::picture_of(array.shape));
  data::RoundingProbe probe;
  data::probe_rounding(from, data::RoundingProbe::rows_of(from.rows(), from.columns()), 0, probe);
  std::vector<std::string> warnings = data::picture_warnings(name, array.shape);
  for (std::string& line : probe.warnings(name, column_text(probe.first().value_or(0))))
    warnings.push_back(std::move(line));
  dataset.set_notes({"", std::move(warnings)});
  return dataset;
}

Dataset dataset_from_columns(std::span<const ArrayView> columns, const std::string& label_column) {
  const std::string name = Dataset{}.name();
  std::vector<std::string> names = data::names_of(columns);
  data::CsvColumns table;
  table.names = names;
  table.count = columns.size();
  data::TableRequest request;
  request.label_column = label_column;
  const std::optional<std::size_t> label = data::find_label_column(name, table, request);
  const std::size_t width = columns.size() - (label ? 1 : 0);
  if (width == 0) throw ConfigError("memory: a table of no columns; expected at least one beside the labels");
  const std::int64_t rows = columns.front().shape.empty() ? 0 : columns.front().shape.front();
  // Rows are counted from 0 as well, which messages say once.
  const auto column_text = [&](std::size_t c) {
    return names.empty() ? fmt::format("column {}", c) : fmt::format("column {}", data::in_quotes(names[c]));
  };
  std::vector<data::Elements> parts;
  bool all_bytes = true;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const data::Elements& part = parts.emplace_back(columns[c], name);
    if (part.columns() != 1 || part.rows() != rows) {
      throw ConfigError(fmt::format("memory: {} has the shape {}; expected one value for each of {} rows",
                                    table.describe(c), data::shape_text(columns[c].shape), rows));
    }
    if (c == label) continue;
    all_bytes = all_bytes && part.type() == NumberType::u8;
    if (part.type() != NumberType::text) continue;
    const char* const first = rows > 0 ? part.text(0) : nullptr;
    data::fail(
        name,
        "{} holds texts{}, but rows are numbers; leave it out, make numbers of it, or name it as label "
        "column",
        table.describe(c), first == nullptr ? "" : fmt::format(" (row 0: {})", data::in_quotes(first)));
  }
  if (rows > std::numeric_limits<std::int64_t>::max() / 8 / static_cast<std::int64_t>(width)) {
    throw ConfigError("memory: a table of more elements than fit in any memory");
  }
  const std::int64_t looked_at = data::RoundingProbe::rows_of(rows, static_cast<std::int64_t>(width));
  data::RoundingProbe probe;
  for (std::size_t c = 0; c < parts.size(); ++c) {
    if (c != label) data::probe_rounding(parts[c], looked_at, static_cast<std::int64_t>(c), probe);
  }
  const std::int64_t count = rows * static_cast<std::int64_t>(width);
  const auto copy = [&](auto element) {
    std::vector<decltype(element)> values;
    data::reserve_elements(values, count, name);
    values.resize(static_cast<std::size_t>(count));
    std::int64_t place = 0;
    for (std::size_t c = 0; c < parts.size(); ++c) {
      if (c == label) continue;
      data::copy_elements(parts[c], values.data() + place, static_cast<std::int64_t>(width),
                          [&](std::int64_t) { return column_text(c); });
      ++place;
    }
    return Dataset(std::move(values), rows, static_cast<std::int64_t>(width));
  };
  Dataset dataset = all_bytes ? copy(std::uint8_t{}) : copy(float{});
  dataset.set_notes(
      {"", probe.warnings(name, column_text(static_cast<std::size_t>(probe.first().value_or(0))))});
  if (label) {
    const std::string owner = fmt::format("{}: {}", name, table.describe(*label));
    try {
      data::take_classes(dataset, data::Elements(columns[*label], owner));
    } catch (const FileError& error) {
      if (!label_column.empty()) throw;
      throw FileError(fmt::format(
          "{}. The column is taken for labels by its name; if it holds values, say so: label_column \"none\"",
          error.what()));
    }
    if (!names.empty()) {
      dataset.set_label_column(names[*label]);
      names.erase(names.begin() + static_cast<std::ptrdiff_t>(*label));
    }
  }
  dataset.set_column_names(std::move(names));
  return dataset;
}

void set_labels(Dataset& dataset, const ArrayView& labels) {
  const std::string name = labels.name.empty() ? "labels" : labels.name;
  const data::Elements from(labels, name);
  if (from.columns() == 1) {
    data::take_classes(dataset, from);
    return;
  }
  if (labels.shape.size() != 2 || labels.type == NumberType::text) {
    throw ConfigError(
        fmt::format("{}: has the shape {}; expected a label per row, or a vector of numbers per row", name,
                    data::shape_text(labels.shape)));
  }
  if (from.rows() != dataset.rows()) {
    throw ConfigError(fmt::format("{}: {} of labels for the {} of {}; expected one label per row", name,
                                  data::counted(from.rows(), "row"), data::counted(dataset.rows(), "row"),
                                  dataset.name()));
  }
  std::vector<float> vectors(static_cast<std::size_t>(from.rows() * from.columns()));
  data::copy_elements(from, vectors.data(), from.columns(),
                      [](std::int64_t column) { return fmt::format("column {}", column); });
  dataset.set_label_vectors(std::move(vectors));
  data::RoundingProbe probe;
  data::probe_rounding(from, data::RoundingProbe::rows_of(from.rows(), from.columns()), 0, probe);
  ReadNotes notes = dataset.notes();
  for (std::string& line : probe.warnings(name, fmt::format("column {}", probe.first().value_or(0))))
    notes.warnings.push_back(std::move(line));
  dataset.set_notes(std::move(notes));
}

}  // namespace vaecuda
