// Data sets from arrays, tables and labels in the caller's memory, by the same rules as for files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/export.h"

namespace vaecuda {

/// Element types of an array. An element of type text is a `const char*` to a zero-terminated string.
enum class NumberType { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, text };

/// A view of an array in the caller's memory, with any strides. Elements need not be aligned.
struct ArrayView {
  const void* data = nullptr;
  NumberType type = NumberType::f32;
  std::vector<std::int64_t> shape;    ///< the first axis is the rows; the others together are one row
  std::vector<std::int64_t> strides;  ///< bytes between neighbours along each axis; empty: row-major
  bool swapped = false;               ///< elements have the opposite of this machine's byte order
  /// Of the same shape, nonzero where an element is missing; null: none is missing.
  const std::uint8_t* mask = nullptr;
  std::vector<std::int64_t> mask_strides;  ///< as strides
  std::string name;                        ///< used in messages; for a column of a table, the column's name
};

/// Copies an array of two or more axes by the rules for .npy files: u8 stays u8, every other type becomes
/// f32, (N, H, W) and (N, H, W, C) with up to 4 channels are pictures. The array may have no rows.
/// \throws FileError naming row and column of an element that is missing, not finite, or not representable as
/// f32 (integers must be exact); ConfigError for a shape without rows and columns; OutOfMemoryError
[[nodiscard]] VAECUDA_API Dataset dataset_from_array(const ArrayView& array);

/// Copies the rows of a sparse matrix in memory (CSR), which stay sparse, by the rules for sparse files:
/// those of row r are the elements row_begin[r] to row_begin[r + 1] − 1 of `columns` and `values`, in any
/// order; each array has one axis and no mask, and the first two are whole numbers of any type. `width`: how
/// many columns there are. The name is that of `values`. \throws FileError naming the place of a value that
/// is not finite or not representable as f32, of a column that is out of range or stands twice in its row;
/// ConfigError for arrays that do not fit together; OutOfMemoryError
[[nodiscard]] VAECUDA_API Dataset dataset_from_csr(const ArrayView& row_begin, const ArrayView& columns,
                                                   const ArrayView& values, std::int64_t width);

/// As dataset_from_array, for the columns of a table, each of one axis and of equal length. The result is u8
/// if all columns are, else f32. Names of columns become column names; either all columns have one or none.
/// `label_column`: as DataSource::label_column; only that column may be of type text. \throws as
/// dataset_from_array, ConfigError for a label column that does not exist, FileError for a column of texts
[[nodiscard]] VAECUDA_API Dataset dataset_from_columns(std::span<const ArrayView> columns,
                                                       const std::string& label_column = "");

/// Sets the labels of the rows, by the rules for a file of labels: one class per row, as whole numbers or
/// texts; or, for an array of two axes with the second above 1, one vector per row. \throws FileError naming
/// the row of a label that is missing or invalid; ConfigError if the number of rows differs
VAECUDA_API void set_labels(Dataset& dataset, const ArrayView& labels);

/// Sets the labels of the rows from a file (DataSource::labels_path). `columns`: as
/// DataSource::label_vector_columns. \throws FileError
VAECUDA_API void load_labels(Dataset& dataset, const std::string& path,
                             const std::vector<std::string>& columns = {});

}  // namespace vaecuda
