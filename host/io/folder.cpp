#include "host/io/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

#include "host/io/output_descriptor.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace fs = std::filesystem;
namespace {

/// `stream`: null after an error, with errno set; it is always closed.
std::vector<std::string> names_of(DIR* stream, std::error_code& error) {
  error.clear();
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(stream, &closedir);
  const auto fail = [&error] { error = std::error_code(errno, std::generic_category()); };
  if (!open) {
    fail();
    return names;
  }
  for (;;) {
    errno = 0;  // the end of the folder does not set it, an error does
    const dirent* entry = readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) fail();
  std::sort(names.begin(), names.end());
  return names;
}

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY;

/// Close-on-exec, retried after an interruption.
int open_at(int folder, const char* name, int flags) {
  constexpr mode_t kModeBeforeUmask = 0666;
  for (;;) {
    const int descriptor = ::openat(folder, name, flags | O_CLOEXEC, kModeBeforeUmask);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

bool leads_to(const fs::path& path, int descriptor) {
  struct stat there = {};
  struct stat here = {};
  return ::stat(path.c_str(), &there) == 0 && ::fstat(descriptor, &here) == 0 &&
         there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

}  // namespace

Folder::Folder(const fs::path& path, const fs::path& shown)
    : path_(shown.empty() ? path : shown), descriptor_(open_at(AT_FDCWD, path.c_str(), kOpenFolder)) {
  if (descriptor_ < 0) throw_output_error("open", path_, errno);
}

Folder::Folder(const Folder& parent, const std::string& name)
    : path_(parent.path_), descriptor_(open_at(parent.descriptor_, name.c_str(), kOpenFolder | O_NOFOLLOW)) {
  if (descriptor_ < 0) parent.fail("open", name, errno);
}

Folder::~Folder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Folder::fail(const char* attempt, const std::string& name, int error) const {
  throw_output_error(attempt, path_ / name, error);
}

fs::path Folder::path_now() const {
  if (leads_to(path_, descriptor_)) return path_;
  std::error_code error;
  fs::path now = fs::read_symlink(fmt::format("/proc/self/fd/{}", descriptor_), error);
  return !error && leads_to(now, descriptor_) ? now : path_;
}

void Folder::lock() const {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw ConfigError(fmt::format("{}: another process is training in this folder; wait for it or end it first",
                                path_.string()));
}

std::vector<std::string> Folder::names() const {
  std::error_code error;
  std::vector<std::string> names = list_folder(descriptor_, error);
  if (error) throw_output_error("read", path_, error.value());
  return names;
}

bool Folder::holds(const std::string& name) const {
  struct stat status = {};
  return ::fstatat(descriptor_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

void Folder::remove(const std::string& name) const {
  if (::unlinkat(descriptor_, name.c_str(), 0) != 0 && errno != ENOENT) fail("remove", name, errno);
}

void Folder::make_folder(const std::string& name) const {
  constexpr mode_t kModeBeforeUmask = 0777;
  if (::mkdirat(descriptor_, name.c_str(), kModeBeforeUmask) != 0) fail("make the folder", name, errno);
}

void Folder::remove_folder(const std::string& name) const {
  if (::unlinkat(descriptor_, name.c_str(), AT_REMOVEDIR) != 0) fail("remove", name, errno);
}

void Folder::rename(const std::string& name, const Folder& to, const std::string& new_name) const {
  if (::renameat(descriptor_, name.c_str(), to.descriptor_, new_name.c_str()) != 0)
    to.fail("write", new_name, errno);
}

void Folder::sync() const {
  sync_output(descriptor_, path_);
}

int Place::open(int flags) const {
  return folder_ ? open_at(folder_->descriptor(), name_.c_str(), flags)
                 : open_at(AT_FDCWD, path_.c_str(), flags);
}

std::vector<std::string> list_folder(const std::filesystem::path& folder, std::error_code& error) {
  return names_of(opendir(folder.c_str()), error);
}

std::vector<std::string> list_folder(int descriptor, std::error_code& error) {
  // Opens the folder again, because a descriptor has only one position in its list of names.
  const int own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = own < 0 ? nullptr : fdopendir(own);
  if (own >= 0 && stream == nullptr) {
    error = std::error_code(errno, std::generic_category());
    close(own);
    return {};
  }
  return names_of(stream, error);
}

void refuse_pipes(const std::filesystem::path& folder) {
  std::error_code error;
  for (const std::string& name : list_folder(folder, error)) {
    const fs::file_status status = fs::status(folder / name, error);
    if (!fs::exists(status) || fs::is_regular_file(status) || fs::is_directory(status)) continue;
    throw FileError(
        fmt::format("{}: is a pipe or a device; the folder of a run holds files and folders alone: remove it",
                    (folder / name).string()));
  }
}

}  // namespace vaecuda
