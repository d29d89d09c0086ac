#include "host/data/array.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "host/data/elements.hpp"
#include "host/data/message.hpp"
#include "host/data/rounding.hpp"
#include "host/data/scalar.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::int64_t kMostChannels = 4;  // grey, grey + alpha, RGB, RGBA

// Calls sink(value) for the next `count` elements; the first is element `first` of the array.
template <class Sink>
void read_floats(ByteSource& source, const ArrayHeader& header, const RowShape& shape, std::int64_t first,
                 std::int64_t count, Sink&& sink) {
  with_type(header.scalar, [&](auto type) {
    using T = decltype(type);
    for_each_element<T>(source, count, header.order, [&](std::int64_t index, T value) {
      if (!is_usable(value)) {
        fail(source.path(), "row {}, column {} (counted from 0): {}", (first + index) / shape.columns,
             (first + index) % shape.columns, refusal(value));
      }
      sink(to_f32(value));
    });
  });
}

std::string dims_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t dim : dims) text += fmt::format("{}{}", text.empty() ? "" : "×", dim);
  return text;
}

}  // namespace

void check_payload(const ByteSource& source, std::int64_t payload) {
  const std::int64_t start = source.position();
  if (const std::optional<std::int64_t> size = source.size()) {
    const std::int64_t held = *size - start;
    if (held < payload) {
      fail(source.path(),
           "is truncated: its header promises {} of data from byte {} on, the file ends after {}. Download "
           "or write it again",
           counted(payload, "byte"), start, held);
    }
    if (held > payload) {
      fail(source.path(),
           "has trailing bytes: its header promises {} of data, so that the file would end at byte {}, but "
           "it is {} long. The header or the file is wrong",
           counted(payload, "byte"), start + payload, counted(*size, "byte"));
    }
  } else if (payload > source.size_limit() - start) {
    fail(source.path(),
         "cannot hold what its header promises ({}): so small a gzip file never inflates to that much. The "
         "header is wrong or the file is truncated",
         readable_bytes(static_cast<double>(payload)));
  }
}

std::string_view name_of(Scalar scalar) {
  constexpr std::array<std::string_view, 11> kNames = {
      "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"};
  return kNames[static_cast<std::size_t>(scalar)];
}

std::int64_t scalar_bytes(Scalar scalar) {
  return with_type(scalar, [](auto value) { return static_cast<std::int64_t>(sizeof(value)); });
}

std::optional<ImageShape> picture_of(const std::vector<std::int64_t>& dims) {
  if (dims.size() == 3) return ImageShape{dims[1], dims[2], 1};
  if (dims.size() != 4) return std::nullopt;
  if (dims[3] <= kMostChannels) return ImageShape{dims[1], dims[2], dims[3]};
  if (dims[1] == 1) return ImageShape{dims[2], dims[3], 1};
  return std::nullopt;
}

std::vector<std::string> picture_warnings(const std::string& name, const std::vector<std::int64_t>& dims) {
  if (dims.size() != 4 || picture_of(dims) || dims[1] > kMostChannels) return {};
  return {
      fmt::format("{}: rows of {}x{}x{} look like pictures of {}x{} whose {} channels come first; pictures "
                  "are (rows, height, width, channels). The values are taken as they stand, without a "
                  "picture shape: for pictures in the report give the array as a.transpose(0, 2, 3, 1)",
                  name, dims[1], dims[2], dims[3], dims[2], dims[3], dims[1])};
}

std::vector<std::string> rounding_warnings(ByteSource& source, const ArrayHeader& header) {
  if (header.scalar != Scalar::f64) return {};
  const RowShape shape = row_shape(source.path(), header);
  const std::int64_t rows = RoundingProbe::rows_of(shape.rows, shape.columns);
  const auto bytes = static_cast<std::size_t>(rows * shape.columns) * sizeof(double);
  const std::span<const std::uint8_t> head = source.peek(bytes);
  if (rows == 0 || head.size() < bytes) return {};
  RoundingProbe probe;
  std::vector<double> values(static_cast<std::size_t>(rows));
  for (std::int64_t column = 0; column < shape.columns; ++column) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto place = static_cast<std::size_t>(row * shape.columns + column) * sizeof(double);
      values[static_cast<std::size_t>(row)] =
          decode<double>(head.data() + place, header.order != std::endian::native);
    }
    probe.add(column, values);
  }
  return probe.warnings(source.path(), fmt::format("column {} (counted from 0)", probe.first().value_or(0)));
}

RowShape row_shape(const std::string& path, const ArrayHeader& header) {
  const std::vector<std::int64_t>& dims = header.dims;
  std::int64_t product = scalar_bytes(header.scalar);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 1) {
      fail(path, "has a header with {} as dimension {} of {}; every dimension must be at least 1", dims[i],
           i + 1, dims_text(dims));
    }
    if (product > std::numeric_limits<std::int64_t>::max() / dims[i]) {
      fail(path, "has a header whose sizes {} multiply to more than 2^63 bytes; the header is damaged",
           dims_text(dims));
    }
    product *= dims[i];
  }
  RowShape shape;
  shape.rows = dims.front();
  shape.columns = product / scalar_bytes(header.scalar) / shape.rows;
  shape.image = picture_of(dims);
  return shape;
}

LoadedRows read_array(ByteSource& source, const ArrayHeader& header) {
  const RowShape shape = row_shape(source.path(), header);
  const std::int64_t count = shape.rows * shape.columns;
  check_payload(source, count * scalar_bytes(header.scalar));
  std::vector<std::string> warnings = picture_warnings(source.path(), header.dims);
  for (std::string& line : rounding_warnings(source, header)) warnings.push_back(std::move(line));

  Dataset dataset;
  if (header.scalar == Scalar::u8) {
    std::vector<std::uint8_t> values;
    reserve_elements(values, count, source.path());
    // Resized piece by piece: a page becomes resident only when the file has delivered its bytes.
    while (static_cast<std::int64_t>(values.size()) < count) {
      const std::size_t done = values.size();
      const std::size_t piece = std::min(kChunkBytes, static_cast<std::size_t>(count) - done);
      values.resize(done + piece);
      source.read(std::span(values).subspan(done), "the array");
    }
    dataset = Dataset(std::move(values), shape.rows, shape.columns);
  } else {
    std::vector<float> values;
    reserve_elements(values, count, source.path());
    read_floats(source, header, shape, 0, count, [&](float value) { values.push_back(value); });
    dataset = Dataset(std::move(values), shape.rows, shape.columns);
  }
  source.expect_end("the last element");
  dataset.set_image(shape.image);
  return {std::move(dataset), {std::string(name_of(header.scalar)), "", std::move(warnings)}};
}

ArrayRows::ArrayRows(ByteSource& source, ArrayHeader header)
    : source_(source), header_(std::move(header)), shape_(row_shape(source.path(), header_)) {
  check_payload(source, shape_.rows * shape_.columns * scalar_bytes(header_.scalar));
}

std::int64_t ArrayRows::read(std::span<float> to) {
  const std::int64_t rows =
      std::min(static_cast<std::int64_t>(to.size()) / shape_.columns, shape_.rows - done_);
  float* next = to.data();
  read_floats(source_, header_, shape_, done_ * shape_.columns, rows * shape_.columns,
              [&](float value) { *next++ = value; });
  done_ += rows;
  if (done_ == shape_.rows) source_.expect_end("the last element");
  return rows;
}

Labels read_label_array(ByteSource& source, const ArrayHeader& header) {
  const RowShape shape = row_shape(source.path(), header);
  if (shape.columns != 1) {
    fail(source.path(), "holds {} values per row ({}); expected labels, one integer per row", shape.columns,
         dims_text(header.dims));
  }
  check_payload(source, shape.rows * scalar_bytes(header.scalar));
  LabelBuilder builder;
  MissingLabels missing;
  with_type(header.scalar, [&](auto type) {
    using T = decltype(type);
    for_each_element<T>(source, shape.rows, header.order, [&](std::int64_t row, T value) {
      if (is_nan(value)) return missing.add(row, "nan");
      if (const std::string reason = label_refusal(value); !reason.empty()) {
        fail(source.path(), "row {} (counted from 0): {}", row, reason);
      }
      builder.add(to_label(value));
    });
  });
  source.expect_end("the last label");
  if (missing.count > 0) {
    fail(source.path(), "row {} (counted from 0): {}", missing.place, missing.message(shape.rows));
  }
  return std::move(builder).finish();
}

LabelFile read_label_file(ByteSource& source, const ArrayHeader& header) {
  if (header.dims.size() == 2 && header.dims[1] >= 2) {
    LoadedRows vectors = read_array(source, header);
    return {{}, std::move(vectors.rows), std::move(vectors.facts.warnings)};
  }
  return {read_label_array(source, header), std::nullopt, {}};
}

}  // namespace vaecuda::data
