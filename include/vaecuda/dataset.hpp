// Rows of data in host memory, and how they are read from files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/export.h"
#include "vaecuda/sparse.hpp"

namespace vaecuda {

/// How a data set keeps its elements: bytes stay bytes, rows that are mostly zeros stay sparse (SparseRows),
/// everything else becomes float.
enum class ElementType { u8, f32, sparse };

/// Shape of a row that is a picture: height × width × channels, channels varying fastest.
struct ImageShape {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 1;
  [[nodiscard]] std::int64_t size() const { return height * width * channels; }
  friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

/// Magnitudes of the values of a data set, to detect a different unit of measurement.
struct ValueSizes {
  float largest = 0.0f;   ///< the largest magnitude
  double exponent = 0.0;  ///< mean of ⌊log2 |x|⌋ over the nonzero values
  friend bool operator==(const ValueSizes&, const ValueSizes&) = default;
};

/// The part to read of a source that has two (the folders of MNIST and CIFAR-10).
enum class DataPart { train, test };

/// Whether the first line of a CSV table names its columns; automatic: derived from the lines.
enum class HeaderMode { automatic, yes, no };

/// What was found on reading a source, as text for the user.
struct ReadNotes {
  /// One line: "table.csv: 400 rows × 6 columns, text, header, no label column".
  std::string description;
  /// Warnings about what was read, one line each, with the remedy.
  std::vector<std::string> warnings;
};

/// Where rows come from and how a file is interpreted.
struct DataSource {
  /// A file (IDX, .npy, .csv, .mtx, svmlight text, each also gzip-compressed; SciPy's sparse .npz; CIFAR-10
  /// .bin), a folder holding MNIST's, CIFAR-10's or 10x's files, or "shapes", "shapes:32x32x3",
  /// "shapes:n=100000" (parts joined by commas or colons).
  std::string path;
  /// A file of labels, one per row (IDX, .npy, CSV of one column beside an index), or of vectors, one per row
  /// (two dimensions, the second above 1); empty: those that the data have themselves.
  std::string labels_path;
  /// CSV: the column that holds labels, by name or by index from 0; "none": no column does; empty: the last
  /// column if it is named label, class or target (any case), else the first column with such a name.
  std::string label_column;
  /// CSV: whether the first line is a header.
  HeaderMode header = HeaderMode::automatic;
  /// Overrides the picture shape given by the file.
  std::optional<ImageShape> image;
  /// If true, a table without the column label_column is read without labels; otherwise that is an error.
  bool label_column_may_lack = false;
  /// CSV: names of the columns that hold values, for example a model's column names. None of them is taken as
  /// the label column unless label_column names it. If the header has at least one of them, cells of all
  /// other columns are not parsed: they may hold anything, and their values are NaN.
  std::vector<std::string> value_columns;
  /// The same for the table at labels_path: the names of the elements of label vectors.
  std::vector<std::string> label_vector_columns;
};

/// Rows of equal length in host memory, row-major or sparse, with optional labels. Copies are deep. Thread
/// safety: const members may be called concurrently.
class VAECUDA_API Dataset {
 public:
  Dataset() = default;
  /// Takes rows × columns elements, row-major. \throws ConfigError if the size of `values` differs.
  Dataset(std::vector<std::uint8_t> values, std::int64_t rows, std::int64_t columns);
  Dataset(std::vector<float> values, std::int64_t rows, std::int64_t columns);
  /// Keeps the rows sparse. They are nowhere made dense as a whole: training and inference do so with the
  /// rows of a batch.
  explicit Dataset(SparseRows rows);

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] ElementType type() const { return type_; }
  /// Size of the elements in bytes, without labels and names.
  [[nodiscard]] std::int64_t bytes() const;
  /// How many elements are kept: all of them, or those of sparse rows that are not 0.
  [[nodiscard]] std::int64_t stored() const;
  /// All elements (rows × columns, row-major); empty if type() is another one.
  [[nodiscard]] std::span<const std::uint8_t> u8() const { return u8_; }
  [[nodiscard]] std::span<const float> f32() const { return f32_; }
  /// Of no rows if type() is another one.
  [[nodiscard]] const SparseRows& sparse() const { return sparse_; }
  /// The elements of a row as floats, whatever type() is. `to` must hold columns() of them. \throws
  /// ConfigError if the row does not exist or `to` has another size
  void copy_row(std::int64_t row, std::span<float> to) const;

  /// Name of the rows in messages: the path that they were read from.
  [[nodiscard]] const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  /// What was found on reading the rows. For rows built in memory the description is their size.
  [[nodiscard]] ReadNotes notes() const;
  void set_notes(ReadNotes notes) { notes_ = std::move(notes); }

  /// Picture shape, if the source gives one.
  [[nodiscard]] const std::optional<ImageShape>& image() const { return image_; }
  /// \throws ConfigError if the shape's size is not columns().
  void set_image(std::optional<ImageShape> image);

  /// Column names of a table, one per column, or none. Checked when the rows are used.
  [[nodiscard]] const std::vector<std::string>& column_names() const { return column_names_; }
  void set_column_names(std::vector<std::string> names) { column_names_ = std::move(names); }

  /// Name of the column that held the labels; empty if it had no name or the labels come from elsewhere.
  [[nodiscard]] const std::string& label_column() const { return label_column_; }
  void set_label_column(std::string name) { label_column_ = std::move(name); }

  /// Class index per row (empty: no labels), an index into label_names().
  [[nodiscard]] std::span<const std::int32_t> labels() const { return labels_; }
  /// The classes: in numeric order where all are numbers, else in byte order.
  [[nodiscard]] const std::vector<std::string>& label_names() const { return label_names_; }
  /// \throws ConfigError if there is not one label per row or an index is out of range.
  void set_labels(std::vector<std::int32_t> labels, std::vector<std::string> names);

  /// Labels that are vectors: rows × label_vector_size() numbers, row-major; empty if labels are classes or
  /// there are none.
  [[nodiscard]] std::span<const float> label_vectors() const { return label_vectors_; }
  [[nodiscard]] std::int64_t label_vector_size() const {
    return rows_ > 0 ? static_cast<std::int64_t>(label_vectors_.size()) / rows_ : 0;
  }
  /// Replaces class labels and removes label_vector_names(). \throws ConfigError unless the number of values
  /// is a positive multiple of rows().
  void set_label_vectors(std::vector<float> vectors);
  /// Names of the elements of a label vector: the columns of the table that they come from; empty if they
  /// have no names.
  [[nodiscard]] const std::vector<std::string>& label_vector_names() const { return label_vector_names_; }
  /// \throws ConfigError unless there is one name per element of a vector, or none
  void set_label_vector_names(std::vector<std::string> names);

  /// Known generative factors per row (rows × factor_names().size(), row-major), any values; see `shapes`.
  [[nodiscard]] std::span<const std::int32_t> factors() const { return factors_; }
  [[nodiscard]] const std::vector<std::string>& factor_names() const { return factor_names_; }
  void set_factors(std::vector<std::int32_t> factors, std::vector<std::string> names);

  /// The given rows, in that order, with their labels and factors; notes() stay those of the whole data set.
  /// \throws ConfigError if an index is out of range.
  [[nodiscard]] Dataset select(std::span<const std::int64_t> rows) const;
  /// The given columns, in that order, with their names; the result has no picture shape. \throws ConfigError
  /// if an index is out of range.
  [[nodiscard]] Dataset select_columns(std::span<const std::int64_t> columns) const;

 private:
  std::string name_ = "memory";
  ReadNotes notes_;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  ElementType type_ = ElementType::f32;
  std::vector<std::uint8_t> u8_;
  std::vector<float> f32_;
  SparseRows sparse_;
  std::optional<ImageShape> image_;
  std::vector<std::string> column_names_;
  std::string label_column_;
  std::vector<std::int32_t> labels_;
  std::vector<std::string> label_names_;
  std::vector<float> label_vectors_;
  std::vector<std::string> label_vector_names_;
  std::vector<std::int32_t> factors_;
  std::vector<std::string> factor_names_;
};

/// Reads a data set. \throws FileError naming file and place of whatever is wrong with it, ConfigError for a
/// request that does not fit the source, OutOfMemoryError if it does not fit in memory.
[[nodiscard]] VAECUDA_API Dataset load_dataset(const DataSource& source, DataPart part = DataPart::train);

/// True if the source has a test part of its own (the t10k files of MNIST, the test_batch of CIFAR-10).
[[nodiscard]] VAECUDA_API bool has_test_part(const DataSource& source);

}  // namespace vaecuda
