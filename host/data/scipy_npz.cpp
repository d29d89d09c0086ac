#include "host/data/scipy_npz.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "host/data/elements.hpp"
#include "host/data/format.hpp"
#include "host/data/message.hpp"
#include "host/data/narrow_values.hpp"
#include "host/data/npy.hpp"
#include "host/data/sparse_entries.hpp"
#include "host/data/storage.hpp"
#include "host/data/zip.hpp"

namespace vaecuda::data {
namespace {

/// The arrays of an archive, by their names.
class Archive {
 public:
  explicit Archive(const std::string& path) : path_(path) {
    RawFile file(path);
    members_ = read_zip_directory(file);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool has(const std::string& array) const { return find(array) != nullptr; }
  /// \throws FileError if there is no such array
  [[nodiscard]] ByteSource open(const std::string& array) const {
    const ZipMember* const member = find(array);
    if (member == nullptr) {
      fail(path_,
           "is a sparse matrix of SciPy without the array {}; write it again with "
           "scipy.sparse.save_npz",
           in_quotes(array));
    }
    return {path_, *member};
  }

 private:
  [[nodiscard]] const ZipMember* find(const std::string& array) const {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const ZipMember& member) { return member.name == array + ".npy"; });
    return found == members_.end() ? nullptr : &*found;
  }

  std::string path_;
  std::vector<ZipMember> members_;
};

struct Shape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// The length of a vector whose header has been read; what follows is as long as it says. \throws FileError
std::int64_t length_of(const ByteSource& source, const ArrayHeader& header) {
  if (header.dims.size() != 1 || header.dims[0] < 0)
    fail(source.path(), "is an array of {} dimensions; expected 1", header.dims.size());
  const std::int64_t bytes = scalar_bytes(header.scalar);
  if (header.dims[0] > std::numeric_limits<std::int64_t>::max() / bytes)
    fail(source.path(), "has a header of {} elements, which no file holds", header.dims[0]);
  check_payload(source, header.dims[0] * bytes);
  return header.dims[0];
}

/// Calls sink(index, number) for the whole numbers of a vector. \throws FileError for floats
template <class Sink>
void for_each_number(ByteSource& source, const ArrayHeader& header, Sink&& sink) {
  with_type(header.scalar, [&](auto type) {
    using T = decltype(type);
    if constexpr (std::is_integral_v<T>) {
      for_each_element<T>(source, header.dims[0], header.order, [&](std::int64_t index, T value) {
        const bool fits = std::is_signed_v<T> || static_cast<std::uint64_t>(value) <= INT64_MAX;
        sink(index, fits ? static_cast<std::int64_t>(value) : std::numeric_limits<std::int64_t>::max());
      });
    } else {
      fail(source.path(), "holds elements of type {}; expected whole numbers", name_of(header.scalar));
    }
  });
  source.expect_end("the last element");
}

Shape read_shape(const Archive& archive) {
  ByteSource source = archive.open("shape");
  const ArrayHeader header = read_npy_header(source);
  std::vector<std::int64_t> sides;
  if (length_of(source, header) != 2) {
    fail(source.path(), "has {}; expected the number of rows and of columns",
         counted(header.dims[0], "element"));
  }
  for_each_number(source, header, [&](std::int64_t, std::int64_t side) { sides.push_back(side); });
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  if (sides[0] < 1 || sides[0] > kMost || sides[1] < 1 || sides[1] > kMost ||
      sides[0] > std::numeric_limits<std::int64_t>::max() / sides[1]) {
    fail(source.path(), "says {} × {}; expected at least 1 and at most {} rows and columns", sides[0],
         sides[1], kMost);
  }
  return {sides[0], sides[1]};
}

/// Where each of `count` rows (or columns) begins.
std::vector<std::int64_t> read_begins(const Archive& archive, std::int64_t count, const char* side) {
  ByteSource source = archive.open("indptr");
  const ArrayHeader header = read_npy_header(source);
  const std::int64_t length = length_of(source, header);
  if (length - 1 != count) {
    fail(source.path(), "has {}, but the matrix has {}; expected one for each and one behind them",
         counted(length, "element"), counted(count, side));
  }
  std::vector<std::int64_t> begins;
  reserve_elements(begins, length, source.path());
  for_each_number(source, header, [&](std::int64_t index, std::int64_t begin) {
    const std::int64_t before = begins.empty() ? 0 : begins.back();
    if (index == 0 ? begin != 0 : begin < before) {
      fail(source.path(), "element {} is {} behind {}; expected numbers that begin with 0 and never fall",
           index, begin, before);
    }
    begins.push_back(begin);
  });
  return begins;
}

/// Indices below `limit`, of which there must be `expected` where that is known (not negative).
template <class T>
std::vector<T> read_indices(const Archive& archive, const char* array, std::int64_t expected,
                            std::int64_t limit) {
  ByteSource source = archive.open(array);
  const ArrayHeader header = read_npy_header(source);
  const std::int64_t length = length_of(source, header);
  if (expected >= 0 && length != expected)
    fail(source.path(), "has {}; expected {}", counted(length, "element"), expected);
  std::vector<T> indices;
  reserve_elements(indices, length, source.path());
  for_each_number(source, header, [&](std::int64_t index, std::int64_t value) {
    if (value < 0 || value >= limit) {
      fail(source.path(), "element {} is {}, which is out of range: the matrix has {} (counted from 0)",
           index, value, limit);
    }
    indices.push_back(static_cast<T>(value));
  });
  return indices;
}

SparseRows::ColumnIndices read_columns(const Archive& archive, const char* array, std::int64_t expected,
                                       std::int64_t width) {
  if (has_narrow_columns(width)) return read_indices<std::uint16_t>(archive, array, expected, width);
  return read_indices<std::uint32_t>(archive, array, expected, width);
}

/// The values; `element` says what a place is called in messages.
struct Values {
  SparseRows::Values values;
  Scalar type = Scalar::f32;
};
Values read_values(const Archive& archive, std::int64_t expected) {
  ByteSource source = archive.open("data");
  const ArrayHeader header = read_npy_header(source);
  const std::int64_t length = length_of(source, header);
  if (length != expected) fail(source.path(), "has {}; expected {}", counted(length, "element"), expected);
  NarrowValues values(length, source.path());
  with_type(header.scalar, [&](auto type) {
    using T = decltype(type);
    for_each_element<T>(source, length, header.order, [&](std::int64_t index, T value) {
      if (!is_usable(value)) fail(source.path(), "element {}: {}", index, refusal(value));
      values.add(to_f32(value));
    });
  });
  source.expect_end("the last element");
  return {values.take(), header.scalar};
}

std::int64_t size_of(const SparseRows::ColumnIndices& indices) {
  return std::visit([](const auto& held) { return static_cast<std::int64_t>(held.size()); }, indices);
}

/// For each entry of a matrix by columns the column that it stands in.
SparseRows::ColumnIndices columns_of(const std::vector<std::int64_t>& begins, const std::string& path) {
  const auto expand = [&](auto element) -> SparseRows::ColumnIndices {
    std::vector<decltype(element)> columns;
    reserve_elements(columns, begins.back(), path);
    for (std::size_t column = 0; column + 1 < begins.size(); ++column)
      columns.resize(static_cast<std::size_t>(begins[column + 1]), static_cast<decltype(element)>(column));
    return columns;
  };
  if (has_narrow_columns(static_cast<std::int64_t>(begins.size()) - 1)) return expand(std::uint16_t{});
  return expand(std::uint32_t{});
}

/// Rows without entries cost memory that no byte of the file stands for.
void check_rows(const Archive& archive, std::int64_t rows, std::int64_t entries) {
  if (rows <= most_rows(entries)) return;
  fail(archive.path(), "says that it has {} for {}; so few are no rows of data", counted(rows, "row"),
       counted(entries, "value"));
}

LoadedRows read_scipy(const DataSource&, ByteSource& bytes) {
  const Archive archive(bytes.path());
  ByteSource format_source = archive.open("format");
  const std::string format = read_npy_text(format_source);
  const Shape shape = read_shape(archive);
  const auto what = [&](Scalar type) { return fmt::format("SciPy's {}, {}", format, name_of(type)); };
  if (format == "csr") {
    UnorderedRows rows;
    rows.width = shape.columns;
    rows.row_begin = read_begins(archive, shape.rows, "row");
    rows.columns = read_columns(archive, "indices", rows.row_begin.back(), shape.columns);
    Values values = read_values(archive, rows.row_begin.back());
    rows.values = std::move(values.values);
    return load_sparse(order_rows(std::move(rows), Repeated::refused, archive.path()), what(values.type));
  }
  Entries entries;
  entries.row_count = shape.rows;
  entries.width = shape.columns;
  std::vector<std::int64_t> begins;
  if (format == "csc") {
    begins = read_begins(archive, shape.columns, "column");
    entries.rows = read_indices<std::uint32_t>(archive, "indices", begins.back(), shape.rows);
    entries.columns = columns_of(begins, archive.path());
  } else if (format == "coo") {
    entries.columns = read_columns(archive, "col", -1, shape.columns);
    entries.rows = read_indices<std::uint32_t>(archive, "row", size_of(entries.columns), shape.rows);
  } else {
    fail(archive.path(),
         "is a sparse matrix of SciPy in the format {}; expected csr, csc or coo. Convert it "
         "with x.tocsr() and save it again",
         in_quotes(format));
  }
  const auto count = static_cast<std::int64_t>(entries.rows.size());
  check_rows(archive, shape.rows, count);
  Values values = read_values(archive, count);
  entries.values = std::move(values.values);
  const Repeated repeated = format == "coo" ? Repeated::summed : Repeated::refused;
  return load_sparse(order_entries(std::move(entries), repeated, archive.path()), what(values.type));
}

bool is_scipy(const ByteSource& bytes, std::span<const std::uint8_t> head) {
  if (!is_zip(head) || bytes.is_compressed() || !bytes.is_regular()) return false;
  try {
    const Archive archive(bytes.path());
    return archive.has("format") && archive.has("shape") && archive.has("data");
  } catch (const FileError&) {
    return false;  // what is wrong with an archive is told by its own format
  }
}

}  // namespace

constinit const Format kScipyFormat = {
    .name = "a sparse matrix of SciPy (.npz)",
    .is_it = is_scipy,
    .read = read_scipy,
};

}  // namespace vaecuda::data
