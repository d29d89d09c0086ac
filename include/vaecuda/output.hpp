// Results on disk: text, arrays, tables and sheets of pictures. Every file is written under a temporary name
// and renamed when it is complete, so that at any moment the path has either the complete old file or the
// complete new one. An existing regular file is replaced; a target of any other type is refused.
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

/// A file of a call or command, and its name in messages, for example "--out".
struct NamedFile {
  std::string name;
  std::string path;
};

/// Checks that no output overwrites another file of the call; to be called before anything is written. Two
/// paths are the same file also through different spellings, symbolic links or hard links; an empty path is
/// ignored. \throws ConfigError naming both if an output is the same file as another output or an input, or
/// is a file of a run (configuration, metrics, models, state, events, pictures) whose folder holds one of the
/// outputs or inputs
VAECUDA_API void require_separate_files(std::span<const NamedFile> outputs,
                                        std::span<const NamedFile> inputs);

/// A file that is written piece by piece. Without commit() no file remains. Thread safety: one thread at a
/// time. Every member throws RuntimeError naming path, reason and remedy, and ConfigError after commit().
class VAECUDA_API OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();
  /// Appends text; small pieces are buffered.
  void write(std::string_view text);
  /// To be called once, last.
  void commit();

 private:
  friend class RowWriter;
  struct VAECUDA_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

/// Removes all temporary files of this process, also those of models and checkpoints; for a program's handler
/// of terminating signals. Async-signal-safe. A later commit() throws.
VAECUDA_API void remove_unfinished_files() noexcept;

/// Element type of an array file.
enum class RowType { f32, i32, u8 };

/// Writes rows block by block as a .npy array (numpy.load) or a .csv table, according to the ending of the
/// path. The number of rows need not be known beforehand. Thread safety: one thread at a time. Every member
/// throws RuntimeError as OutputFile does.
class VAECUDA_API RowWriter {
 public:
  /// `columns` 0: one number per row, an array of one dimension. `names`: header of a table, empty or one per
  /// column; not used for arrays. \throws also ConfigError for another ending, a wrong number of names, or
  /// columns < 0
  RowWriter(const std::string& path, std::int64_t columns, RowType type = RowType::f32,
            const std::vector<std::string>& names = {});
  RowWriter(RowWriter&&) noexcept;
  RowWriter& operator=(RowWriter&&) noexcept;
  ~RowWriter();
  /// Appends whole rows. Tables have as many digits as are needed to read the same float back. \throws also
  /// ConfigError for values of another type than the writer's, or a part of a row
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

/// Text as a CSV cell (RFC 4180): quoted if it contains a separator, a quote or a line end, or begins like a
/// comment or another file format.
[[nodiscard]] VAECUDA_API std::string csv_cell(std::string_view text);

/// The values drawn darkest and brightest (pictures), or lowest and highest (line plots).
struct ValueRange {
  float low = 0.0F;
  float high = 1.0F;
};

/// Layout of a sheet.
struct SheetOptions {
  /// Cells per row of the sheet; 0: chosen so that the sheet is about square.
  std::int64_t cells_across = 0;
  /// Sheet pixels per picture pixel, in both directions; 0: the smallest scale at which pictures are at least
  /// 48 pixels wide and high.
  std::int64_t scale = 0;
  /// Values outside are clamped. Default: 0 to 1 for pictures; for a line plot the smallest and largest
  /// finite value of its cell, so that an original and its reconstruction share one axis.
  std::optional<ValueRange> range;
};

/// Draws every row of `values` (rows × columns, row-major) into a cell of a PNG file, left to right, top to
/// bottom. With `shape`, a row is a picture: 1 channel is drawn grey, 3 in colour, for any other number their
/// mean; values that are not finite are black. Without `shape`, a row is a line plot over its columns, with
/// gaps where values are not finite. \throws ConfigError if there is no row, the number of values is not a
/// multiple of `columns`, `shape` has another size, or the sheet would be wider or higher than 65,535 pixels;
/// RuntimeError if the file cannot be written
VAECUDA_API void write_sheet(const std::string& path, std::span<const float> values, std::int64_t columns,
                             const std::optional<ImageShape>& shape, const SheetOptions& options = {});

/// As write_sheet, with two rows per cell: the original above its reconstruction.
/// \throws as write_sheet, and ConfigError if the two differ in size
VAECUDA_API void write_pair_sheet(const std::string& path, std::span<const float> originals,
                                  std::span<const float> reconstructions, std::int64_t columns,
                                  const std::optional<ImageShape>& shape, const SheetOptions& options = {});

}  // namespace vaecuda
