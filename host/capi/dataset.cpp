// C API: rows of data.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"

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

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;  // NOLINT(google-build-using-namespace): the functions below belong to it

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

int vaecuda_dataset_set_image(vaecuda_dataset* dataset, int64_t height, int64_t width, int64_t channels) {
  return guarded([&] {
    required(dataset, "dataset").data.set_image(vaecuda::ImageShape{height, width, channels});
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
    const auto copy = [&](const auto& from) {
      const auto start = from.begin() + first * data.columns();
      std::copy(start, start + needed, values);
    };
    data.type() == vaecuda::ElementType::u8 ? copy(data.u8()) : copy(data.f32());
  });
}

void vaecuda_dataset_free(vaecuda_dataset* dataset) {
  delete dataset;
}

}  // extern "C"
