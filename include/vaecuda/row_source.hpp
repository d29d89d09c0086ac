// Rows that are read one after the other: what a trained model works on, so that data larger than memory
// can be used.
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

/// Rows of equal length in blocks, from the first to the last, once. Derive from it for rows of your own (a
/// database): who reads them throws FileError where its answers do not fit together. One thread at a time.
class VAECUDA_API RowSource {
 public:
  RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource() = default;

  /// What messages call it: the path.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// Values in a row.
  [[nodiscard]] virtual std::int64_t columns() const = 0;
  /// Rows from the first to the last, where that is known beforehand (not for a CSV file).
  [[nodiscard]] virtual std::optional<std::int64_t> rows() const { return std::nullopt; }
  /// The next rows (row-major, columns() floats each), at most `most` of them; empty at the end. Valid until
  /// the next call. \throws FileError naming file and place for a value that cannot be used
  [[nodiscard]] virtual std::span<const float> next(std::int64_t most) = 0;

  /// True where every row has a label.
  [[nodiscard]] virtual bool has_labels() const { return false; }
  /// The labels of the rows that next() gave last, as indices into label_names(); empty without labels.
  [[nodiscard]] virtual std::span<const std::int32_t> labels() const { return {}; }
  /// The classes met so far. A source that reads on may add some at the end.
  [[nodiscard]] virtual const std::vector<std::string>& label_names() const;
  /// True where every row has a vector in place of a label.
  [[nodiscard]] virtual bool has_label_vectors() const { return false; }
  /// The label vectors of the rows that next() gave last (rows × their size, row-major), where rows have
  /// vectors in place of classes; empty without any.
  [[nodiscard]] virtual std::span<const float> label_vectors() const { return {}; }
  /// What the numbers of a label vector are called; empty where they have no names.
  [[nodiscard]] virtual const std::vector<std::string>& label_vector_names() const;
  /// Known generative factors of the rows that next() gave last (rows × factor_names().size(), row-major), as
  /// in `shapes`; empty without any.
  [[nodiscard]] virtual std::span<const std::int32_t> factors() const { return {}; }
  [[nodiscard]] virtual const std::vector<std::string>& factor_names() const;
  /// The picture that a row is, where the source says so.
  [[nodiscard]] virtual std::optional<ImageShape> image() const { return std::nullopt; }
  /// Names of a table's columns, empty where there are none.
  [[nodiscard]] virtual const std::vector<std::string>& column_names() const;
  /// What is known of the source before its rows are read, for a person; without more, its size.
  [[nodiscard]] virtual ReadNotes notes() const;
  /// What the column is called that the labels come from; empty where it has no name or labels come from
  /// elsewhere.
  [[nodiscard]] virtual const std::string& label_column() const;
};

/// Opens the same data as load_dataset, but reads on demand: .npy, IDX and CSV files (also gzip-compressed)
/// of any size need a few MiB; an array's labels are held whole (4 bytes a row). Folders, CIFAR-10, `shapes`,
/// and a CSV file with labels in another file are loaded whole. u8 values become floats (0 … 255).
/// \throws as load_dataset; what is wrong inside a file is found when it is reached
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> open_rows(const DataSource& source,
                                                               DataPart part = DataPart::train);

/// The rows of a data set in memory, which must outlive the source.
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> rows_of(const Dataset& data);

/// `values` (rows × columns, row-major) must outlive the source. \throws ConfigError if `columns` does not
/// divide them
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> rows_of(std::span<const float> values,
                                                             std::int64_t columns,
                                                             std::string name = "memory");

/// The rows of `rows`, which must outlive the source, each with this label in place of its own: what a
/// conditional model is told. For a model that is told vectors: the vector's numbers, "0.5,0,1".
[[nodiscard]] VAECUDA_API std::unique_ptr<RowSource> with_label(RowSource& rows, std::string label);

/// Reads on and keeps the rows asked for, in the order given; an index counts from the first row that was not
/// read yet. What lies between them is passed over. \throws ConfigError for an index that does not exist
[[nodiscard]] VAECUDA_API Dataset take_rows(RowSource& source, std::span<const std::int64_t> rows);

}  // namespace vaecuda
