#include "host/io/output_descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

const char* remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space there, or choose a folder on another disk";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that you may write to, or change its permissions";
    case ENOENT:
    case ENOTDIR:
      return "make the folder first, or check its name";
    case EISDIR:
      return "a folder has that name; choose another";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case EMFILE:
    case ENFILE:
      return "too many files are open; raise the limit (ulimit -n) or close some";
    case EFBIG:
      return "the file grew past a limit; raise it (ulimit -f) or choose another file system";
    default:
      return "check the disk and its file system";
  }
}

}  // namespace

void throw_output_error(const char* attempt, const std::filesystem::path& path, int error) {
  throw RuntimeError(fmt::format("cannot {} '{}': {}; {}", attempt, path.string(),
                                 std::generic_category().message(error), remedy(error)));
}

void sync_output(int descriptor, const std::filesystem::path& path) {
  while (::fsync(descriptor) != 0) {
    if (errno == EINTR) continue;
    // Pipes, terminals, and folders on some network file systems do not support syncing and report that.
    if (errno == EINVAL || errno == ENOTSUP) return;
    throw_output_error("bring to disk", path, errno);
  }
}

OutputDescriptor::OutputDescriptor(const Place& place, int flags, std::filesystem::path path)
    : descriptor_(place.open(flags)), path_(std::move(path)) {
  if (descriptor_ < 0) throw_output_error("open", path_, errno);
}

OutputDescriptor::OutputDescriptor(OutputDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

OutputDescriptor::~OutputDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputDescriptor::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_output_error("write to", path_, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputDescriptor::rewrite(std::int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_output_error("write to", path_, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
}

void OutputDescriptor::close() {
  const int descriptor = std::exchange(descriptor_, -1);
  // After EINTR Linux has closed the descriptor; closing it again could close another thread's file.
  if (descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR)
    throw_output_error("close", path_, errno);
}

std::int64_t OutputDescriptor::regular_size() const {
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0) throw_output_error("examine", path_, errno);
  return S_ISREG(status.st_mode) ? std::int64_t{status.st_size} : -1;
}

void OutputDescriptor::truncate(std::int64_t size) {
  while (::ftruncate(descriptor_, size) != 0) {
    if (errno != EINTR) throw_output_error("cut back", path_, errno);
  }
}

void OutputDescriptor::try_truncate(std::int64_t size) noexcept {
  while (::ftruncate(descriptor_, size) != 0 && errno == EINTR) {
  }
}

AppendFile::AppendFile(const Place& place)
    : path_(place.path()),
      file_(place, O_WRONLY | O_CREAT | O_APPEND),
      was_empty_(file_.regular_size() <= 0) {}

void AppendFile::append(std::string_view text) {
  const std::int64_t size = file_.regular_size();
  try {
    file_.write(std::as_bytes(std::span(text)));
  } catch (const RuntimeError&) {
    if (size >= 0) file_.try_truncate(size);
    throw;
  }
}

}  // namespace vaecuda
