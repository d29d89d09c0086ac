// An open file that is written to, with every system call checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "host/io/folder.hpp"

namespace vaecuda {

/// Throws the RuntimeError for a system call that failed on an output: what was tried, the path, the system's
/// words for `error` (an errno value) and what to do about it.
[[noreturn]] void throw_output_error(const char* attempt, const std::filesystem::path& path, int error);

/// Owns a file descriptor. Every member throws the RuntimeError of throw_output_error, naming `path`.
class OutputDescriptor {
 public:
  /// Opens with open(2)'s `flags` (close-on-exec is added).
  OutputDescriptor(const Place& place, int flags) : OutputDescriptor(place, flags, place.path()) {}
  /// `path` is what messages name, where it is not that of the place.
  OutputDescriptor(const Place& place, int flags, std::filesystem::path path);
  OutputDescriptor(OutputDescriptor&& other) noexcept;
  OutputDescriptor& operator=(OutputDescriptor&&) = delete;
  OutputDescriptor(const OutputDescriptor&) = delete;
  OutputDescriptor& operator=(const OutputDescriptor&) = delete;
  ~OutputDescriptor();

  /// Writes all bytes, however many calls that takes.
  void write(std::span<const std::byte> bytes);
  /// Writes all bytes over those from `offset` on.
  void rewrite(std::int64_t offset, std::span<const std::byte> bytes);
  /// Returns when what was written is on the disk.
  void sync();
  /// Closes now, so that an error the system kept until here is seen.
  void close();
  /// Bytes in the file, or -1 where it is no regular file.
  [[nodiscard]] std::int64_t regular_size() const;
  /// Cuts the file back to `size` bytes.
  void truncate(std::int64_t size);
  /// Cuts a regular file back to `size` bytes if the system lets it; never throws, for use after a failed
  /// write.
  void try_truncate(std::int64_t size) noexcept;

 private:
  int descriptor_ = -1;
  std::filesystem::path path_;
};

}  // namespace vaecuda
