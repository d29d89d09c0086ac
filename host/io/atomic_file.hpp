// Files that exist completely or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/io/folder.hpp"
#include "host/io/output_descriptor.hpp"

namespace vaecuda {

/// Lists a temporary file during its lifetime, for signal handlers (remove_unfinished_files of the public
/// API). There are 64 slots; a file without a slot is not listed, and remains if a signal ends the process.
class UnfinishedFile {
 public:
  /// `folder`: descriptor of the file's folder, which must stay open during the lifetime of this object.
  UnfinishedFile(int folder, const std::string& name);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

 private:
  struct Entry;
  friend struct UnfinishedPlaces;
  Entry* entry_;
};

/// A file that is being written, under a temporary name in the target's folder; commit() renames it to the
/// target's name, replacing an old file. At any moment, also after a crash, the target is the complete old
/// file or the complete new one. The folder is held open: if it is moved meanwhile, the file moves with it.
/// Without commit() the destructor removes the temporary file and the target is unchanged. Unbuffered: write
/// large pieces. Errors are RuntimeErrors that name the target, the system's reason and a remedy.
class AtomicFile {
 public:
  /// \throws RuntimeError if the folder cannot be written to, or if the target exists and is not a regular
  /// file (a device or pipe must not be replaced by a file). A symbolic link is followed: its target is
  /// replaced.
  explicit AtomicFile(const Place& target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Appends all bytes to the temporary file.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Overwrites the bytes at `offset`, for a header with numbers that are known last.
  void rewrite(std::int64_t offset, std::string_view text);
  /// Syncs the file and renames it to the target's name. To be called once, last: every later call is a
  /// ConfigError.
  void commit();
  /// The target, links resolved.
  [[nodiscard]] const std::filesystem::path& path() const { return target_.path(); }

 private:
  void require_open() const;

  Place target_;  // in a folder
  std::string temporary_;
  std::optional<UnfinishedFile> listed_;  // until it is committed or removed
  std::optional<OutputDescriptor> file_;  // empty once committed
};

/// Creates or replaces the file at `place` so that it holds exactly these bytes. \throws RuntimeError as
/// AtomicFile.
void write_file_atomically(const Place& place, std::span<const std::byte> bytes);
void write_file_atomically(const Place& place, std::span<const std::uint8_t> bytes);
void write_file_atomically(const Place& place, std::string_view text);

}  // namespace vaecuda
