// Rows, tables and labels that a program has in its own memory, by the rules of files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/export.h"

namespace vaecuda {

/// What the elements of an array are. A text is a `const char*`, ended by a zero.
enum class NumberType { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, text };

/// An array in someone else's memory, of any layout. Elements need not be aligned.
struct ArrayView {
  const void* data = nullptr;
  NumberType type = NumberType::f32;
  std::vector<std::int64_t> shape;    ///< the first axis counts rows; the others are one row
  std::vector<std::int64_t> strides;  ///< bytes from neighbour to neighbour of each axis; empty: row-major
  bool swapped = false;  ///< the bytes of an element stand in the other order than this machine's
  /// Other than 0 where an element is missing, by the same shape; null: none is missing.
  const std::uint8_t* mask = nullptr;
  std::vector<std::int64_t> mask_strides;  ///< as strides
  std::string name;                        ///< what messages call it; of a table's column its name
};

/// Copies an array of two axes or more as the rows of a .npy file are read: u8 stays u8, every other type
/// becomes f32, (N, H, W) and (N, H, W, C) with up to 4 channels are pictures. No rows at all are allowed.
/// \throws FileError naming row and column of an element that is missing, not finite, or that f32 cannot hold
/// (an integer must be exact); ConfigError for a shape that has no rows and columns; OutOfMemoryError
[[nodiscard]] VAECUDA_API Dataset dataset_from_array(const ArrayView& array);

/// The same of a table's columns, one axis each and of equal length. They are u8 if all are, else f32. Names,
/// where columns have them, become column names; all columns have one, or none. \param label_column as
/// DataSource::label_column; only that column may hold texts \throws as dataset_from_array, ConfigError for a
/// label column that does not exist, FileError for a column of texts
[[nodiscard]] VAECUDA_API Dataset dataset_from_columns(std::span<const ArrayView> columns,
                                                       const std::string& label_column = "");

/// Gives rows their labels as a file of labels does: classes by whole numbers or texts, one per row, or with
/// two axes, the second above 1, a vector per row. \throws FileError naming the row of a label that is
/// missing or none; ConfigError for another number of rows
VAECUDA_API void set_labels(Dataset& dataset, const ArrayView& labels);

/// Gives rows the labels that a file holds (DataSource::labels_path). `columns` as
/// DataSource::label_vector_columns. \throws FileError
VAECUDA_API void load_labels(Dataset& dataset, const std::string& path,
                             const std::vector<std::string>& columns = {});

}  // namespace vaecuda
