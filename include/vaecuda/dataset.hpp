// Rows of data in host memory, and how they are read from files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/export.h"

namespace vaecuda {

/// How a data set's elements are held: bytes stay bytes, everything else becomes float.
enum class ElementType { u8, f32 };

/// The picture that a row is, stored as height × width × channels (channels vary fastest).
struct ImageShape {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 1;
  [[nodiscard]] std::int64_t size() const { return height * width * channels; }
  friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

/// How large values are, as one unit of measurement differs from another.
struct ValueSizes {
  float largest = 0.0f;   ///< the greatest magnitude
  double exponent = 0.0;  ///< mean of the whole part of log2 |x| over the values other than 0
  friend bool operator==(const ValueSizes&, const ValueSizes&) = default;
};

/// Which part of a source with two (MNIST's and CIFAR-10's folders) is meant.
enum class DataPart { train, test };

/// Whether a CSV table's first line names its columns; automatic: told from the lines themselves.
enum class HeaderMode { automatic, yes, no };

/// What reading a source showed, for a person.
struct ReadNotes {
  /// One line: "table.csv: 400 rows × 6 columns, text, header, no label column".
  std::string description;
  /// What may be wrong with what was read, one line each, with the remedy.
  std::vector<std::string> warnings;
};

/// Where rows come from and how a file is to be understood.
struct DataSource {
  /// A file (IDX, .npy, .csv, each also gzip-compressed; CIFAR-10 .bin), a folder holding MNIST's or
  /// CIFAR-10's files, or "shapes", "shapes:32x32x3", "shapes:n=100000" (parts joined by commas or colons).
  std::string path;
  /// A file of labels, one per row (IDX, .npy, CSV of one column beside an index), or of vectors, one per row
  /// (two dimensions, the second above 1); empty: those that come with the data.
  std::string labels_path;
  /// CSV: the column that holds labels, by name or by index from 0; "none": no column does; empty: a last
  /// column named label, class or target (any case) is taken, else the first one so named.
  std::string label_column;
  /// CSV: whether the first line is a header.
  HeaderMode header = HeaderMode::automatic;
  /// Overrides the picture shape that the file gives.
  std::optional<ImageShape> image;
  /// A table without the column label_column is one without labels, instead of an error.
  bool label_column_may_lack = false;
  /// CSV: names of columns that hold values, as a model knows them: unless label_column names one, none of
  /// them is taken for labels. Where the header has one of them, cells of other columns are not read: they
  /// may hold anything, and their values are NaN.
  std::vector<std::string> value_columns;
  /// The same of a table that labels_path names: what the numbers of label vectors are called.
  std::vector<std::string> label_vector_columns;
};

/// Rows of equal length in host memory, row-major, with optional labels. Move-only in spirit: copies are
/// deep. Thread safety: const members may be called concurrently.
class VAECUDA_API Dataset {
 public:
  Dataset() = default;
  /// Takes rows×columns elements. \throws ConfigError if the size of `values` is another.
  Dataset(std::vector<std::uint8_t> values, std::int64_t rows, std::int64_t columns);
  Dataset(std::vector<float> values, std::int64_t rows, std::int64_t columns);

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] ElementType type() const { return type_; }
  /// Bytes of the elements alone.
  [[nodiscard]] std::int64_t bytes() const;
  /// All elements (rows × columns), empty if the data set is of the other type.
  [[nodiscard]] std::span<const std::uint8_t> u8() const { return u8_; }
  [[nodiscard]] std::span<const float> f32() const { return f32_; }

  /// What the rows are called in messages: the path they were read from.
  [[nodiscard]] const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  /// What reading the rows showed. Rows that were put together in memory are described by their size.
  [[nodiscard]] ReadNotes notes() const;
  void set_notes(ReadNotes notes) { notes_ = std::move(notes); }

  /// Picture shape, where the source gives one.
  [[nodiscard]] const std::optional<ImageShape>& image() const { return image_; }
  /// \throws ConfigError if the shape's size is not columns().
  void set_image(std::optional<ImageShape> image);

  /// Column names of a table, one for each (who uses the rows requires it), or none.
  [[nodiscard]] const std::vector<std::string>& column_names() const { return column_names_; }
  void set_column_names(std::vector<std::string> names) { column_names_ = std::move(names); }

  /// What the column was called that the labels come from; empty where it had no name or labels come from
  /// elsewhere.
  [[nodiscard]] const std::string& label_column() const { return label_column_; }
  void set_label_column(std::string name) { label_column_ = std::move(name); }

  /// Class index per row (empty: no labels), an index into label_names().
  [[nodiscard]] std::span<const std::int32_t> labels() const { return labels_; }
  /// The classes: in numeric order where all are numbers, else in byte order.
  [[nodiscard]] const std::vector<std::string>& label_names() const { return label_names_; }
  /// \throws ConfigError if there is not one label per row or an index is out of range.
  void set_labels(std::vector<std::int32_t> labels, std::vector<std::string> names);

  /// A label that is a vector: rows × label_vector_size() numbers, row-major; empty where labels are classes
  /// or there are none.
  [[nodiscard]] std::span<const float> label_vectors() const { return label_vectors_; }
  [[nodiscard]] std::int64_t label_vector_size() const {
    return rows_ > 0 ? static_cast<std::int64_t>(label_vectors_.size()) / rows_ : 0;
  }
  /// Takes the place of class labels; the numbers have no names then. \throws ConfigError if there is not the
  /// same number for every row.
  void set_label_vectors(std::vector<float> vectors);
  /// What the numbers of a label vector are called, as the columns of the table that they come from; empty
  /// where they have no names.
  [[nodiscard]] const std::vector<std::string>& label_vector_names() const { return label_vector_names_; }
  /// \throws ConfigError unless there is one name for each number, or none
  void set_label_vector_names(std::vector<std::string> names);

  /// Known generative factors per row (rows × factor_names().size(), row-major), any values; see `shapes`.
  [[nodiscard]] std::span<const std::int32_t> factors() const { return factors_; }
  [[nodiscard]] const std::vector<std::string>& factor_names() const { return factor_names_; }
  void set_factors(std::vector<std::int32_t> factors, std::vector<std::string> names);

  /// The chosen rows, in the order given, with their labels and factors; notes() are those of all rows.
  /// \throws ConfigError if an index is out of range.
  [[nodiscard]] Dataset select(std::span<const std::int64_t> rows) const;
  /// The chosen columns, in the order given, with their names; without the picture shape, which belongs to
  /// all of them. \throws ConfigError if an index is out of range.
  [[nodiscard]] Dataset select_columns(std::span<const std::int64_t> columns) const;

 private:
  std::string name_ = "memory";
  ReadNotes notes_;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  ElementType type_ = ElementType::f32;
  std::vector<std::uint8_t> u8_;
  std::vector<float> f32_;
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

/// Reads a data set. \throws FileError naming file and place for anything that is wrong with it,
/// ConfigError for a request that does not fit the source, OutOfMemoryError if it does not fit in memory.
[[nodiscard]] VAECUDA_API Dataset load_dataset(const DataSource& source, DataPart part = DataPart::train);

/// True if the source itself sets rows aside for testing (the t10k files of MNIST, CIFAR-10's test_batch).
[[nodiscard]] VAECUDA_API bool has_test_part(const DataSource& source);

}  // namespace vaecuda
