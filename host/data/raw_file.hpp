// A file as it lies on the disk: opened once, read forwards through one small buffer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vaecuda::data {

class RawFile {
 public:
  /// \throws FileError if the file is missing, not readable, a folder, or empty.
  explicit RawFile(std::string path);
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Size in bytes; unknown for a pipe.
  [[nodiscard]] std::optional<std::int64_t> size() const { return size_; }
  /// Bytes consumed so far.
  [[nodiscard]] std::int64_t position() const { return position_; }

  /// The buffered bytes that come next; reads on until there are at least `wanted` (at most the buffer's
  /// size) or the file ends. \throws FileError if the system cannot read on.
  std::span<const std::uint8_t> buffered(std::size_t wanted = 1);
  void consume(std::size_t count);
  /// Goes on at this byte; not in a pipe. \throws FileError if the system cannot
  void seek(std::int64_t position);
  /// Up to to.size() bytes, past the buffer where that saves a copy; 0 only at the end.
  std::size_t read_some(std::span<std::uint8_t> to);

 private:
  std::size_t read_system(std::uint8_t* to, std::size_t count);

  std::string path_;
  int descriptor_ = -1;
  std::optional<std::int64_t> size_;
  std::int64_t position_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace vaecuda::data
