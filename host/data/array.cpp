#include "host/data/array.hpp"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "host/data/message.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;

// b1 needs a type of its own: its only values are 0 and 1.
struct Bool {
  std::uint8_t value;
};

// Calls f with a value of the C++ type that stands for the scalar.
template <class F>
auto with_type(Scalar scalar, F&& f) {
  switch (scalar) {
    case Scalar::b1:
      return f(Bool{});
    case Scalar::u8:
      return f(std::uint8_t{});
    case Scalar::i8:
      return f(std::int8_t{});
    case Scalar::u16:
      return f(std::uint16_t{});
    case Scalar::i16:
      return f(std::int16_t{});
    case Scalar::u32:
      return f(std::uint32_t{});
    case Scalar::i32:
      return f(std::int32_t{});
    case Scalar::u64:
      return f(std::uint64_t{});
    case Scalar::i64:
      return f(std::int64_t{});
    case Scalar::f32:
      return f(float{});
    case Scalar::f64:
      break;
  }
  return f(double{});
}

template <class T>
T decode(const std::uint8_t* bytes, bool swap) {
  std::array<std::uint8_t, sizeof(T)> raw{};
  std::memcpy(raw.data(), bytes, sizeof(T));
  if (swap) std::reverse(raw.begin(), raw.end());
  T value;
  std::memcpy(&value, raw.data(), sizeof(T));
  return value;
}

// Calls sink(values, count) for consecutive pieces of the array.
template <class T, class Sink>
void for_each_piece(ByteSource& source, std::int64_t count, std::endian order, Sink&& sink) {
  constexpr std::int64_t kPiece = static_cast<std::int64_t>(kChunkBytes / sizeof(T));
  const bool swap = order != std::endian::native && sizeof(T) > 1;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::min(kPiece, count)) * sizeof(T));
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t piece = std::min(kPiece, count - done);
    const std::span<std::uint8_t> part = std::span(bytes).first(static_cast<std::size_t>(piece) * sizeof(T));
    source.read(part, "the array");
    for (std::int64_t i = 0; i < piece; ++i) sink(done + i, decode<T>(part.data() + i * sizeof(T), swap));
    done += piece;
  }
}

// True where the 24 bits of f32's significand hold the integer.
bool is_exact_in_f32(std::uint64_t magnitude) {
  return magnitude == 0 || (magnitude >> std::countr_zero(magnitude)) < (std::uint64_t{1} << 24);
}

// Why a value cannot be used as f32; empty where it can.
template <class T>
std::string refusal(T value) {
  if constexpr (std::is_same_v<T, Bool>) {
    return value.value > 1 ? fmt::format("byte {} is not a boolean (0 or 1)", value.value) : "";
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return fmt::format("the value is {}; every value must be finite", value);
    if (std::abs(static_cast<double>(value)) > static_cast<double>(FLT_MAX)) {
      return fmt::format("{} is too large for a 32-bit float (at most 3.4028235e38)", value);
    }
  } else {
    const auto wide = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    if (!is_exact_in_f32(value < T{0} ? std::uint64_t{0} - wide : wide)) {
      return fmt::format("a 32-bit float cannot hold the integer {} exactly; scale the data and store floats",
                         value);
    }
  }
  return "";
}

template <class T>
float to_f32(T value) {
  if constexpr (std::is_same_v<T, Bool>) {
    return value.value != 0 ? 1.0F : 0.0F;
  } else {
    return static_cast<float>(value);
  }
}

// The common case of refusal(), cheap enough for every element.
template <class T>
bool is_usable(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::abs(value) <= static_cast<T>(FLT_MAX);  // false for nan too
  } else {
    return refusal(value).empty();
  }
}
template <>
bool is_usable(Bool value) {
  return value.value <= 1;
}

// Calls sink(value) for the next `count` elements; the first is element `first` of the array.
template <class Sink>
void read_floats(ByteSource& source, const ArrayHeader& header, const RowShape& shape, std::int64_t first,
                 std::int64_t count, Sink&& sink) {
  with_type(header.scalar, [&](auto type) {
    using T = decltype(type);
    for_each_piece<T>(source, count, header.order, [&](std::int64_t index, T value) {
      if (!is_usable(value)) {
        fail(source.path(), "row {}, column {} (counted from 0): {}", (first + index) / shape.columns,
             (first + index) % shape.columns, refusal(value));
      }
      sink(to_f32(value));
    });
  });
}

// Compares what the header promises with what the file can hold, before any memory is asked for.
void check_size(const ByteSource& source, std::int64_t payload) {
  const std::int64_t start = source.position();
  if (const std::optional<std::int64_t> size = source.size()) {
    const std::int64_t held = *size - start;
    if (held < payload) {
      fail(source.path(),
           "is truncated: its header promises {} of data from byte {} on, the file ends after {}. Download "
           "or write "
           "it again",
           counted(payload, "byte"), start, held);
    }
    if (held > payload) {
      fail(source.path(),
           "has trailing bytes: its header promises {} of data, so that the file would end at byte {}, but "
           "it is {} "
           "long. The header or the file is wrong",
           counted(payload, "byte"), start + payload, counted(*size, "byte"));
    }
  } else if (payload > source.size_limit() - start) {
    fail(source.path(),
         "cannot hold what its header promises ({}): so small a gzip file never inflates to that much. The "
         "header is "
         "wrong or the file is truncated",
         readable_bytes(static_cast<double>(payload)));
  }
}

std::string dims_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t dim : dims) text += fmt::format("{}{}", text.empty() ? "" : "×", dim);
  return text;
}

}  // namespace

std::int64_t scalar_bytes(Scalar scalar) {
  return with_type(scalar, [](auto value) { return static_cast<std::int64_t>(sizeof(value)); });
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
  constexpr std::int64_t kMostChannels = 4;  // grey, grey + alpha, RGB, RGBA
  if (dims.size() == 3) shape.image = ImageShape{dims[1], dims[2], 1};
  if (dims.size() == 4 && dims[3] <= kMostChannels) shape.image = ImageShape{dims[1], dims[2], dims[3]};
  return shape;
}

Dataset read_array(ByteSource& source, const ArrayHeader& header) {
  const RowShape shape = row_shape(source.path(), header);
  const std::int64_t count = shape.rows * shape.columns;
  check_size(source, count * scalar_bytes(header.scalar));

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
  return dataset;
}

ArrayRows::ArrayRows(ByteSource& source, ArrayHeader header)
    : source_(source), header_(std::move(header)), shape_(row_shape(source.path(), header_)) {
  check_size(source, shape_.rows * shape_.columns * scalar_bytes(header_.scalar));
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
  check_size(source, shape.rows * scalar_bytes(header.scalar));
  LabelBuilder builder;
  with_type(header.scalar, [&](auto type) {
    using T = decltype(type);
    for_each_piece<T>(source, shape.rows, header.order, [&](std::int64_t row, T value) {
      if constexpr (std::is_same_v<T, Bool>) {
        builder.add(std::int64_t{value.value});
      } else if constexpr (std::is_floating_point_v<T>) {
        constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
        const auto wide = static_cast<double>(value);
        if (!(std::abs(wide) < kExactIntegers) || std::trunc(wide) != wide) {
          fail(source.path(), "row {} (counted from 0): label {} is not an integer", row, value);
        }
        builder.add(static_cast<std::int64_t>(wide));
      } else if (std::is_same_v<T, std::uint64_t> && static_cast<std::uint64_t>(value) > INT64_MAX) {
        fail(source.path(), "row {} (counted from 0): label {} is larger than 2^63", row, value);
      } else {
        builder.add(static_cast<std::int64_t>(value));
      }
    });
  });
  source.expect_end("the last label");
  return std::move(builder).finish();
}

}  // namespace vaecuda::data
