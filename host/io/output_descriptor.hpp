// Files open for writing, with every system call checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "host/io/folder.hpp"

namespace vaecuda {

/// Throws the RuntimeError for a failed system call on an output, with the attempt, the path, the system's
/// text for `error` (an errno value) and the remedy.
[[noreturn]] void throw_output_error(const char* attempt, const std::filesystem::path& path, int error);

/// Returns when everything written to the file or folder is on the disk. \throws as throw_output_error
void sync_output(int descriptor, const std::filesystem::path& path);

/// Owns a file descriptor. Every member throws the RuntimeError of throw_output_error, naming `path`.
class OutputDescriptor {
 public:
  /// Opens with open(2)'s `flags` (close-on-exec is added).
  OutputDescriptor(const Place& place, int flags) : OutputDescriptor(place, flags, place.path()) {}
  /// `path`: the path in messages, if not that of the place.
  OutputDescriptor(const Place& place, int flags, std::filesystem::path path);
  OutputDescriptor(OutputDescriptor&& other) noexcept;
  OutputDescriptor& operator=(OutputDescriptor&&) = delete;
  OutputDescriptor(const OutputDescriptor&) = delete;
  OutputDescriptor& operator=(const OutputDescriptor&) = delete;
  ~OutputDescriptor();

  /// Writes all bytes, in as many calls as needed.
  void write(std::span<const std::byte> bytes);
  /// Overwrites the bytes from `offset` on with all of these.
  void rewrite(std::int64_t offset, std::span<const std::byte> bytes);
  /// Returns when everything written is on the disk.
  void sync() { sync_output(descriptor_, path_); }
  /// Closes explicitly, so that an error delayed by the system is detected.
  void close();
  /// Bytes in the file, or -1 if it is not a regular file.
  [[nodiscard]] std::int64_t regular_size() const;
  /// Truncates the file to `size` bytes.
  void truncate(std::int64_t size);
  /// Truncates a regular file to `size` bytes if possible; never throws, for use after a failed write.
  void try_truncate(std::int64_t size) noexcept;

 private:
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// Appends to a file, which is created if missing. Unbuffered: when append() returns, the system has the
/// bytes, and a reader sees them even if this program is killed next. Only sync() protects against a power
/// cut. One writer at a time. Errors are RuntimeErrors that name the file, the system's reason and a remedy.
class AppendFile {
 public:
  /// \throws RuntimeError if the file cannot be opened for writing.
  explicit AppendFile(const Place& place);

  /// Appends all bytes: one line or record per call. If that fails (a full disk), a regular file is truncated
  /// to its previous length, so that it never ends in a partial record.
  void append(std::string_view text);
  /// Returns when everything appended is on the disk.
  void sync() { file_.sync(); }
  /// Closes with a check, which the destructor cannot do; to be called last.
  void close() { file_.close(); }
  /// True if the file was empty when it was opened.
  [[nodiscard]] bool was_empty() const { return was_empty_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  OutputDescriptor file_;
  bool was_empty_;
};

}  // namespace vaecuda
