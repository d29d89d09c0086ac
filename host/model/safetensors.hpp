// The safetensors format: named arrays behind a JSON header (docs/formats.md has the bytes).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/io/seekable_bytes.hpp"

namespace vaecuda {

/// The specification's own limit.
inline constexpr std::int64_t kSafetensorsHeaderBytes = 100'000'000;
// Ours: they bound what a hostile header can make of few bytes.
inline constexpr std::size_t kSafetensorsTensors = 65'536;
inline constexpr std::size_t kSafetensorsMetadata = 1'024;
inline constexpr std::size_t kSafetensorsRank = 8;

/// One tensor of a file. The names point into the file's header.
struct SafetensorsEntry {
  std::string_view name;
  std::string_view dtype;  ///< "F32"
  std::vector<std::int64_t> shape;
  std::int64_t begin = 0;  ///< first byte, from the start of the tensor data
  std::int64_t end = 0;    ///< behind the last byte
};

/// A safetensors file whose header was found correct: every tensor lies in the file, is as long as its shape
/// says, and together they cover the data without hole or overlap. Reading needs no more memory than the
/// header and a few MiB; tensors are read into the caller's.
class SafetensorsReader {
 public:
  /// \throws FileError naming the file, the byte or tensor, and what was expected
  explicit SafetensorsReader(std::unique_ptr<SeekableBytes> source);

  [[nodiscard]] const std::string& name() const { return source_->name(); }
  /// In the byte order of their names.
  [[nodiscard]] std::span<const SafetensorsEntry> entries() const { return entries_; }
  /// Null if there is none of this name.
  [[nodiscard]] const SafetensorsEntry* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> metadata_keys() const;
  /// The text of a metadata key. It lies in the header and may be decoded in place by a JsonScanner, once.
  [[nodiscard]] std::optional<std::span<char>> metadata(std::string_view key);
  /// Reads a tensor whose elements are as many as `to` holds. \throws FileError if it is not F32
  void read_f32(const SafetensorsEntry& entry, std::span<float> to) const;
  /// Offset in the file of byte `offset` of the tensor data.
  [[nodiscard]] std::int64_t file_offset(std::int64_t offset) const { return data_start_ + offset; }

 private:
  struct Metadata {
    std::string_view key;
    std::span<char> text;
  };

  void read_header();
  void parse_header();
  void check_tensors() const;
  void check_coverage() const;

  std::unique_ptr<SeekableBytes> source_;
  std::vector<char> header_;
  std::int64_t data_start_ = 0;
  std::vector<SafetensorsEntry> entries_;
  std::vector<Metadata> metadata_;
};

/// A tensor to be written; `values` holds as many elements as the shape says.
struct SafetensorsTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

/// Writes the file atomically. Its bytes depend on the arguments alone, and not on the order of the tensors:
/// keys are sorted, and the data lie in the order of the names. Bytes in strings that are no UTF-8 become
/// U+FFFD. \throws RuntimeError if the file cannot be written or its header would be longer than a reader may
/// accept
void write_safetensors(const Place& place, const std::map<std::string, std::string>& metadata,
                       std::vector<SafetensorsTensor> tensors);

}  // namespace vaecuda
