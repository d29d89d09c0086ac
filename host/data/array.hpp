// Arrays of numbers as IDX and .npy files hold them: what a header says, and the elements behind it.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/bytes.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/labels.hpp"
#include "host/data/source_facts.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

enum class Scalar { b1, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64 };

/// What NumPy calls it: "uint8", "float32".
[[nodiscard]] std::string_view name_of(Scalar scalar);
/// Size of one element in the file.
[[nodiscard]] std::int64_t scalar_bytes(Scalar scalar);

/// What an array file's header says.
struct ArrayHeader {
  Scalar scalar = Scalar::u8;
  std::endian order = std::endian::little;
  std::vector<std::int64_t> dims;
};

/// The array as rows: the first dimension counts them, the others are one row, flattened in file order.
struct RowShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::optional<ImageShape> image;
};

/// The picture that a row of an array with these dimensions is: N,H,W, and N,H,W,C with C from 1 to 4.
/// N,1,H,W is the same picture in the same order; of more channels before the sides the order of values is
/// another.
[[nodiscard]] std::optional<ImageShape> picture_of(const std::vector<std::int64_t>& dims);
/// What a person is to know of the array `name` where its dimensions look like pictures whose channels come
/// first (N,3,32,32), which have no picture shape; else none.
[[nodiscard]] std::vector<std::string> picture_warnings(const std::string& name,
                                                        const std::vector<std::int64_t>& dims);

/// The same of the elements that follow, which are looked at and not consumed: `source` stands behind the
/// header.
[[nodiscard]] std::vector<std::string> rounding_warnings(ByteSource& source, const ArrayHeader& header);

/// \throws FileError for a dimension below 1 and for more than 2^63 bytes.
[[nodiscard]] RowShape row_shape(const std::string& path, const ArrayHeader& header);

/// Reads the elements; `source` stands behind the header. u8 stays u8, every other type becomes f32.
/// \throws FileError if the file holds fewer or more bytes than the header says, or an element that is not
/// finite or that f32 cannot hold (an integer must be exact).
[[nodiscard]] LoadedRows read_array(ByteSource& source, const ArrayHeader& header);

/// The elements of an array, read row by row as f32; `source` stands behind the header and must outlive it.
class ArrayRows {
 public:
  /// \throws FileError as read_array, for what the header and the file's size tell.
  ArrayRows(ByteSource& source, ArrayHeader header);
  [[nodiscard]] const RowShape& shape() const { return shape_; }
  [[nodiscard]] const ArrayHeader& header() const { return header_; }
  /// Fills `to` with the next rows, as many as fit or are left; gives their number. The call that reaches the
  /// end checks that nothing follows. \throws FileError as read_array
  std::int64_t read(std::span<float> to);

 private:
  ByteSource& source_;
  ArrayHeader header_;
  RowShape shape_;
  std::int64_t done_ = 0;
};

/// Reads one integer per row (1-D or N×1; floats that are whole are accepted). \throws FileError likewise.
[[nodiscard]] Labels read_label_array(ByteSource& source, const ArrayHeader& header);

/// A file of labels: such integers, or the rows of an N×M array with M ≥ 2 as vectors. \throws FileError
/// likewise.
[[nodiscard]] LabelFile read_label_file(ByteSource& source, const ArrayHeader& header);

}  // namespace vaecuda::data
