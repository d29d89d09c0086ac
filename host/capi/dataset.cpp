// C API: rows of data.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"
#include "vaecuda/array.hpp"

namespace vaecuda::capi {
namespace {

template <typename T>
int copy_rows(const T* values, std::int64_t rows, std::int64_t columns, vaecuda_dataset** result) noexcept {
  return guarded([&] {
    required(result, "result");
    const std::int64_t count = checked_count(rows, columns);
    if (count == 0) throw ConfigError("a data set has at least one row and one column");
    const T* first = &required(values, "values");
    auto dataset = std::make_unique<vaecuda_dataset>();
    dataset->data = Dataset(std::vector<T>(first, first + count), rows, columns);
    *result = dataset.release();
  });
}

static_assert(static_cast<int>(NumberType::boolean) == VAECUDA_BOOL);
static_assert(static_cast<int>(NumberType::u8) == VAECUDA_U8);
static_assert(static_cast<int>(NumberType::f64) == VAECUDA_F64);
static_assert(static_cast<int>(NumberType::text) == VAECUDA_TEXT);

ArrayView to_view(const vaecuda_array* given, std::string_view argument) {
  const vaecuda_array none = VAECUDA_ARRAY_INIT;
  const vaecuda_array from = read_struct(&required(given, argument), none, argument);
  constexpr std::int64_t kMostAxes = 64;
  if (from.axes < 0 || from.axes > kMostAxes) {
    throw ConfigError(fmt::format("{} has {} axes; expected 1 to {}", argument, from.axes, kMostAxes));
  }
  if (from.type < VAECUDA_BOOL || from.type > VAECUDA_TEXT) {
    throw ConfigError(fmt::format("{}: {} is no type of elements", argument, from.type));
  }
  const auto numbers = [&](const std::int64_t* first) {
    return first == nullptr ? std::vector<std::int64_t>()
                            : std::vector<std::int64_t>(first, first + from.axes);
  };
  ArrayView view;
  view.data = from.data;
  view.type = static_cast<NumberType>(from.type);
  if (from.axes > 0) (void)required(from.shape, std::string(argument) + "->shape");
  view.shape = numbers(from.shape);
  view.strides = numbers(from.strides);
  view.swapped = from.swapped != 0;
  view.mask = from.mask;
  view.mask_strides = numbers(from.mask_strides);
  if (from.name != nullptr) view.name = from.name;
  return view;
}

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;  // NOLINT(google-build-using-namespace): the functions below use it throughout

extern "C" {

int vaecuda_dataset_load(const char* path, const char* labels_path, vaecuda_dataset** result) {
  return guarded([&] {
    required(result, "result");
    vaecuda::DataSource source;
    source.path = required_text(path, "path");
    if (labels_path != nullptr) source.labels_path = labels_path;
    auto dataset = std::make_unique<vaecuda_dataset>();
    dataset->data = vaecuda::load_dataset(source);
    *result = dataset.release();
  });
}

int vaecuda_dataset_from_floats(const float* values, int64_t rows, int64_t columns,
                                vaecuda_dataset** result) {
  return copy_rows(values, rows, columns, result);
}

int vaecuda_dataset_from_bytes(const uint8_t* values, int64_t rows, int64_t columns,
                               vaecuda_dataset** result) {
  return copy_rows(values, rows, columns, result);
}

int vaecuda_dataset_from_array(const vaecuda_array* array, vaecuda_dataset** result) {
  return guarded([&] {
    required(result, "result");
    auto dataset = std::make_unique<vaecuda_dataset>();
    dataset->data = vaecuda::dataset_from_array(to_view(&required(array, "array"), "array"));
    *result = dataset.release();
  });
}

int vaecuda_dataset_from_csr(const vaecuda_array* row_begin, const vaecuda_array* columns,
                             const vaecuda_array* values, int64_t width, vaecuda_dataset** result) {
  return guarded([&] {
    required(result, "result");
    auto dataset = std::make_unique<vaecuda_dataset>();
    dataset->data = vaecuda::dataset_from_csr(to_view(row_begin, "row_begin"), to_view(columns, "columns"),
                                              to_view(values, "values"), width);
    *result = dataset.release();
  });
}

int vaecuda_dataset_from_columns(const vaecuda_array* const* columns, int64_t count, const char* label_column,
                                 vaecuda_dataset** result) {
  return guarded([&] {
    required(result, "result");
    if (count < 1) throw vaecuda::ConfigError(fmt::format("{} columns; expected 1 or more", count));
    required(columns, "columns");
    std::vector<vaecuda::ArrayView> views;
    for (std::int64_t i = 0; i < count; ++i) views.push_back(to_view(columns[i], "columns"));
    auto dataset = std::make_unique<vaecuda_dataset>();
    dataset->data = vaecuda::dataset_from_columns(views, label_column == nullptr ? "" : label_column);
    *result = dataset.release();
  });
}

int vaecuda_dataset_from_config(const vaecuda_config* config, vaecuda_dataset** result) {
  return guarded([&] {
    required(result, "result");
    auto dataset = std::make_unique<vaecuda_dataset>();
    dataset->data = vaecuda::load_dataset(required(config, "config").run.data.train);
    *result = dataset.release();
  });
}

int vaecuda_dataset_from_config_for(const vaecuda_config* config, const char* const* names, size_t count,
                                    vaecuda_dataset** result) {
  return guarded([&] {
    required(result, "result");
    vaecuda::DataSource source = required(config, "config").run.data.train;
    source.value_columns = required_texts(names, count, "names");
    auto dataset = std::make_unique<vaecuda_dataset>();
    dataset->data = vaecuda::load_dataset(source);
    *result = dataset.release();
  });
}

int vaecuda_dataset_set_image(vaecuda_dataset* dataset, int64_t height, int64_t width, int64_t channels) {
  return guarded([&] {
    required(dataset, "dataset").data.set_image(vaecuda::ImageShape{height, width, channels});
  });
}

int vaecuda_dataset_set_labels(vaecuda_dataset* dataset, const vaecuda_array* labels) {
  return guarded([&] {
    vaecuda::Dataset& data = required(dataset, "dataset").data;
    vaecuda::set_labels(data, to_view(&required(labels, "labels"), "labels"));
  });
}

int vaecuda_dataset_load_labels(vaecuda_dataset* dataset, const char* path, const char* const* names,
                                size_t count) {
  return guarded([&] {
    vaecuda::Dataset& data = required(dataset, "dataset").data;
    vaecuda::load_labels(
        data, required_text(path, "path"),
        names == nullptr ? std::vector<std::string>() : required_texts(names, count, "names"));
  });
}

int vaecuda_dataset_notes(const vaecuda_dataset* dataset, char* text, size_t size, size_t* length) {
  return guarded([&] {
    const vaecuda::ReadNotes notes = required(dataset, "dataset").data.notes();
    std::string lines = notes.description;
    for (const std::string& warning : notes.warnings) lines += "\nwarning: " + warning;
    give_text(lines, text, size, length);
  });
}

int vaecuda_dataset_describe(const vaecuda_dataset* dataset, vaecuda_dataset_info* info) {
  return guarded([&] {
    const vaecuda::Dataset& data = required(dataset, "dataset").data;
    required(info, "info");
    vaecuda_dataset_info result = VAECUDA_DATASET_INFO_INIT;
    result.rows = data.rows();
    result.columns = data.columns();
    result.type = data.type() == vaecuda::ElementType::u8 ? VAECUDA_U8 : VAECUDA_F32;
    result.named = data.column_names().empty() ? 0 : 1;
    if (data.image()) {
      result.image_height = data.image()->height;
      result.image_width = data.image()->width;
      result.image_channels = data.image()->channels;
    }
    result.classes = static_cast<std::int64_t>(data.label_names().size());
    result.label_vector = data.label_vector_size();
    write_struct(info, result, "info");
  });
}

int vaecuda_dataset_set_columns(vaecuda_dataset* dataset, const char* const* names, size_t count) {
  return guarded([&] {
    vaecuda::Dataset& data = required(dataset, "dataset").data;
    std::vector<std::string> texts = required_texts(names, count, "names");
    if (static_cast<std::int64_t>(texts.size()) != data.columns()) {
      throw vaecuda::ConfigError(
          fmt::format("{} names for {} columns; expected one for each", texts.size(), data.columns()));
    }
    data.set_column_names(std::move(texts));
  });
}

int vaecuda_dataset_set_label_columns(vaecuda_dataset* dataset, const char* const* names, size_t count) {
  return guarded([&] {
    vaecuda::Dataset& data = required(dataset, "dataset").data;
    data.set_label_vector_names(required_texts(names, count, "names"));
  });
}

int vaecuda_dataset_size(const vaecuda_dataset* dataset, int64_t* rows, int64_t* columns) {
  return guarded([&] {
    const vaecuda::Dataset& data = required(dataset, "dataset").data;
    if (rows != nullptr) *rows = data.rows();
    if (columns != nullptr) *columns = data.columns();
  });
}

int vaecuda_dataset_values(const vaecuda_dataset* dataset, int64_t first, int64_t count, float* values,
                           size_t values_size) {
  return guarded([&] {
    const vaecuda::Dataset& data = required(dataset, "dataset").data;
    if (first < 0 || count < 0 || first > data.rows() || count > data.rows() - first) {
      throw vaecuda::ConfigError(
          fmt::format("{} rows from row {} on: the data set has {}", count, first, data.rows()));
    }
    const std::int64_t needed = checked_count(count, data.columns());
    require_room(values, values_size, needed, "values");
    const auto width = static_cast<std::size_t>(data.columns());
    for (std::int64_t row = 0; row < count; ++row)
      data.copy_row(first + row, {values + static_cast<std::size_t>(row) * width, width});
  });
}

void vaecuda_dataset_free(vaecuda_dataset* dataset) {
  delete dataset;
}

}  // extern "C"
