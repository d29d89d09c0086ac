// Streams of rows: the input of a trained model, so that the data may be larger than memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/dataset.hpp"
#include "vaecuda/export.h"

namespace vaecuda {

/// Gives rows of equal length in blocks, once, from the first to the last. Derive from it for other sources,
/// such as a database; readers throw FileError if its answers are inconsistent. One thread at a time.
class VAECUDA_API RowSource {
 public:
  RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource() = default;

  /// Name in messages: the path.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// Values in a row.
  [[nodiscard]] virtual std::int64_t columns() const = 0;
  /// The number of rows in total, if known beforehand (not for a CSV file).
  [[nodiscard]] virtual std::optional<std::int64_t> rows() const { return std::nullopt; }
  /// The next rows (row-major, columns() floats each), at most `most` of them; empty at the end. The span is
  /// valid until the next call. \throws FileError naming file and place for a value that cannot be used
  [[nodiscard]] virtual std::span<const float> next(std::int64_t most) = 0;

  /// True if every row has a class as its label.
  [[nodiscard]] virtual bool has_labels() const { return false; }
  /// The labels of the rows that next() returned last, as indices into label_names(); empty without labels.
  [[nodiscard]] virtual std::span<const std::int32_t> labels() const { return {}; }
  /// The classes found so far. Reading on may append further ones.
  [[nodiscard]] virtual const std::vector<std::string>& label_names() const;
  /// True if every row has a vector as its label.
  [[nodiscard]] virtual bool has_label_vectors() const { return false; }
  /// The label vectors of the rows that next() returned last (rows × their size, row-major); empty without
  /// any.
  [[nodiscard]] virtual std::span<const float> label_vectors() const { return {}; }
  /// Names of the elements of a label vector; empty if they have none.
  [[nodiscard]] virtual const std::vector<std::string>& label_vector_names() const;
  /// Known generative factors of the rows that next() returned last (rows × factor_names().size(),
  /// row-major), as in `shapes`; empty without any.
  [[nodiscard]] virtual std::span<const std::int32_t> factors() const { return {}; }
  [[nodiscard]] virtual const std::vector<std::string>& factor_names() const;
  /// Shape of the picture that a row is, if the source gives one.
  [[nodiscard]] virtual std::optional<ImageShape> image() const { return std::nullopt; }
  /// Names of a table's columns; empty if there are none.
  [[nodiscard]] virtual const std::vector<std::string>& column_names() const;
  /// What is known of the source before its rows are read, as text for the user; at least its size.
  [[nodiscard]] virtual ReadNotes notes() const;
  /// Name of the column that holds the labels; empty if it has no name or the labels come from elsewhere.
  [[nodiscard]] virtual const std::string& label_column() const;
};

/// Opens the same data as load_dataset, but reads on demand: .npy, IDX and CSV files (also gzip-compressed)
/// of any size need a few MiB of memory; the labels of an array are loaded whole (4 bytes per row). Folders,
/// CIFAR-10, `shapes`, and a CSV file with labels in another file are loaded whole. u8 values become floats
/// (0 … 255).
/// \throws as load_dataset; errors inside a file are thrown by next() when it reaches them
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> open_rows(const DataSource& source,
                                                               DataPart part = DataPart::train);

/// The rows of a data set in memory, which must outlive the source.
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> rows_of(const Dataset& data);

/// `values` (rows × columns, row-major) must outlive the source. \throws ConfigError if the number of values
/// is not a multiple of `columns`
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> rows_of(std::span<const float> values,
                                                             std::int64_t columns,
                                                             std::string name = "memory");

/// The rows of `rows`, which must outlive the source, all with `label` instead of their own: the label that a
/// conditional model is conditioned on. For label vectors: the numbers of one vector, "0.5,0,1".
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> with_label(RowSource& rows, std::string label);

/// Reads on and returns the given rows, in that order; indices count from the first row not yet read. Other
/// rows are skipped. \throws ConfigError for an index that does not exist
[[nodiscard]] VAECUDA_API Dataset take_rows(RowSource& source, std::span<const std::int64_t> rows);

}  // namespace vaecuda
