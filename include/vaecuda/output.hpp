// Results on disk: text, arrays and tables, and sheets of pictures. Every file is written under a temporary
// name and renamed when it is whole: at any moment there is one whole old or new file. A file of the same
// name is replaced then; a target that is no regular file is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/export.h"

namespace vaecuda {

/// A file of a call or command, and what messages call it: "--out".
struct NamedFile {
  std::string name;
  std::string path;
};

/// To be called before anything is written. Files are the same by whatever spelling of the path and by
/// whatever symbolic or hard link; an empty path names none. \throws ConfigError naming both if an output is
/// the same file as another output or an input, or as one of a run whose folder an output or input lies in:
/// its configuration, metrics, models, state, events and pictures
VAECUDA_API void require_separate_files(std::span<const NamedFile> outputs,
                                        std::span<const NamedFile> inputs);

/// A file that is written piece by piece. Without commit() nothing stays. Thread safety: one thread at a
/// time. Every member throws RuntimeError naming path, reason and remedy, and ConfigError after commit().
class VAECUDA_API OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();
  /// Small pieces are gathered to large ones.
  void write(std::string_view text);
  /// To be called once, last.
  void commit();

 private:
  friend class RowWriter;
  struct VAECUDA_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

/// Removes the temporary files of all that this process is writing, models and checkpoints among them: for a
/// program's handler of signals that end it. Async-signal-safe. A commit() that comes after it throws.
VAECUDA_API void remove_unfinished_files() noexcept;

/// What the elements of an array file are.
enum class RowType { f32, i32, u8 };

/// Rows written block by block, as a .npy array (numpy.load) or a .csv table, whichever the path's ending
/// says; their number need not be known. Thread safety: one thread at a time.
/// Every member throws RuntimeError as OutputFile does.
class VAECUDA_API RowWriter {
 public:
  /// `columns` 0: one number a row, as an array of one dimension. `names`: a table's header, empty or one per
  /// column; arrays have none. \throws also ConfigError for another ending or number of names, columns < 0
  RowWriter(const std::string& path, std::int64_t columns, RowType type = RowType::f32,
            const std::vector<std::string>& names = {});
  RowWriter(RowWriter&&) noexcept;
  RowWriter& operator=(RowWriter&&) noexcept;
  ~RowWriter();
  /// Whole rows of the writer's type, or ConfigError. A table has as many digits as bring the float back.
  void append(std::span<const float> rows);
  void append(std::span<const std::int32_t> rows);
  void append(std::span<const std::uint8_t> rows);
  /// To be called once, last.
  void commit();
  [[nodiscard]] std::int64_t rows() const;

 private:
  struct VAECUDA_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

/// Cells of a table as RFC 4180 writes them: in quotes where they hold a separator, a quote or a line end, or
/// begin as a comment or another format does.
[[nodiscard]] VAECUDA_API std::string csv_cell(std::string_view text);

/// The values that are drawn darkest and brightest (pictures), or lowest and highest (line plots).
struct ValueRange {
  float low = 0.0F;
  float high = 1.0F;
};

/// How a sheet is laid out.
struct SheetOptions {
  /// Cells side by side; 0: about as many as makes the sheet square.
  std::int64_t cells_across = 0;
  /// Sheet pixels per picture pixel, in both directions; 0: the least that makes pictures 48 pixels wide and
  /// high.
  std::int64_t scale = 0;
  /// Values outside are clamped. Default: 0 to 1 for pictures; for a line plot the least and greatest finite
  /// value in its cell, so that an original and its reconstruction share one axis.
  std::optional<ValueRange> range;
};

/// Draws every row of `values` (rows × columns, row-major) into a cell of a PNG file, left to right, top to
/// bottom. With `shape`, a row is a picture: 1 channel is grey, 3 are colour, of any other number the mean is
/// drawn; a value that is not finite is black. Without it, a row is a line plot over its columns, with gaps
/// where values are not finite. \throws ConfigError if there is no row, `columns` does not divide the values,
/// `shape` has another size, or the sheet would be wider or higher than 65,535 pixels; RuntimeError if the
/// file cannot be written
VAECUDA_API void write_sheet(const std::string& path, std::span<const float> values, std::int64_t columns,
                             const std::optional<ImageShape>& shape, const SheetOptions& options = {});

/// As write_sheet, with two rows a cell: the original above its reconstruction.
/// \throws as write_sheet, and ConfigError if the two differ in size
VAECUDA_API void write_pair_sheet(const std::string& path, std::span<const float> originals,
                                  std::span<const float> reconstructions, std::int64_t columns,
                                  const std::optional<ImageShape>& shape, const SheetOptions& options = {});

}  // namespace vaecuda
