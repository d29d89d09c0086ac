// Files that grow line by line or record by record while a program runs.
#pragma once

#include <filesystem>
#include <string_view>

#include "host/io/output_descriptor.hpp"

namespace vaecuda {

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
