#include "host/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace fs = std::filesystem;
namespace {

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

fs::path resolve_target(const fs::path& target) {
  std::error_code error;
  const fs::file_status status = fs::status(target, error);
  if (fs::is_directory(status)) throw_output_error("write", target, EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw RuntimeError(
        fmt::format("cannot write '{}': it is a device, pipe or socket, which a file would replace; "
                    "choose another name",
                    target.string()));
  }
  if (!fs::is_symlink(fs::symlink_status(target, error))) return target;
  fs::path resolved = fs::weakly_canonical(target, error);
  if (error) throw_output_error("follow the link", target, error.value());
  return resolved;
}

// Unique in the folder among all writers: by process, and by count within it.
fs::path temporary_name(const fs::path& target) {
  static std::atomic<std::uint64_t> count{0};
  fs::path name = target;
  name += fmt::format(".{}-{}.tmp", ::getpid(), count.fetch_add(1));
  return name;
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& target) : target_(resolve_target(target)) {
  // A process of the same number may have died here before and left its file.
  do {
    temporary_ = temporary_name(target_);
  } while (fs::exists(fs::symlink_status(temporary_)));
  file_.emplace(temporary_, O_WRONLY | O_CREAT | O_EXCL, target_);
}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  file_.reset();
  ::unlink(temporary_.c_str());
}

void AtomicFile::require_open() const {
  if (!file_) throw std::logic_error("AtomicFile is used after commit()");
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  require_open();
  file_->write(bytes);
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void AtomicFile::rewrite(std::int64_t offset, std::string_view text) {
  require_open();
  file_->rewrite(offset, std::as_bytes(std::span(text)));
}

void AtomicFile::commit() {
  require_open();
  file_->sync();
  file_->close();
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) throw_output_error("write", target_, errno);
  file_.reset();
  // The new name itself is on disk only when the folder is.
  OutputDescriptor folder(folder_of(target_), O_RDONLY | O_DIRECTORY, folder_of(target_));
  folder.sync();
  folder.close();
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const fs::path& path, std::span<const std::uint8_t> bytes) {
  write_file_atomically(path, std::as_bytes(bytes));
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

}  // namespace vaecuda
