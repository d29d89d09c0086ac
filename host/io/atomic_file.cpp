#include "host/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <system_error>

#include "host/io/path_links.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace fs = std::filesystem;
namespace {

void require_replaceable(mode_t mode, const fs::path& target) {
  if (S_ISDIR(mode)) throw_output_error("write", target, EISDIR);
  if (S_ISREG(mode)) return;
  throw RuntimeError(fmt::format(
      "cannot write '{}': it is a device, pipe or socket, which a file would replace; choose another name",
      target.string()));
}

/// The same place as a name in an open folder, after following a link.
Place in_folder(const Place& target) {
  const int folder = target.folder() ? target.folder()->descriptor() : AT_FDCWD;
  const char* name = target.folder() ? target.name().c_str() : target.path().c_str();
  struct stat status = {};
  if (::fstatat(folder, name, &status, 0) == 0) require_replaceable(status.st_mode, target.path());
  const bool is_link = ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
  if (target.folder() && !is_link) return target;
  fs::path path = target.folder() ? target.folder()->path_now() / target.name() : target.path();
  try {
    if (is_link) path = follow_links(path);
  } catch (const std::system_error& error) {
    throw_output_error("follow the link", target.path(), error.code().value());
  }
  const fs::path above = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return {std::make_shared<const Folder>(above, path), path.filename().string(), path};
}

// Unique in the folder among all writers: process id and a count within the process.
std::string temporary_name(const std::string& target) {
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{}.{}-{}.tmp", target, ::getpid(), count.fetch_add(1));
}

}  // namespace

AtomicFile::AtomicFile(const Place& target) : target_(in_folder(target)) {
  // An earlier process with the same id may have died here and left its file.
  do {
    temporary_ = temporary_name(target_.name());
  } while (target_.folder()->holds(temporary_));
  listed_.emplace(target_.folder()->descriptor(), temporary_);
  file_.emplace(Place(target_.folder(), temporary_), O_WRONLY | O_CREAT | O_EXCL, target_.path());
}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  file_.reset();
  ::unlinkat(target_.folder()->descriptor(), temporary_.c_str(), 0);
}

void AtomicFile::require_open() const {
  if (file_) return;
  throw ConfigError(
      fmt::format("'{}' is written and closed already: a file can be committed once, last", path().string()));
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
  const int folder = target_.folder()->descriptor();
  if (::renameat(folder, temporary_.c_str(), folder, target_.name().c_str()) != 0)
    throw_output_error("write", target_.path(), errno);
  file_.reset();
  listed_.reset();
  // The new name is on disk only after the folder is synced.
  target_.folder()->sync();
}

void write_file_atomically(const Place& place, std::span<const std::byte> bytes) {
  AtomicFile file(place);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const Place& place, std::span<const std::uint8_t> bytes) {
  write_file_atomically(place, std::as_bytes(bytes));
}

void write_file_atomically(const Place& place, std::string_view text) {
  write_file_atomically(place, std::as_bytes(std::span(text)));
}

struct UnfinishedFile::Entry {
  pid_t process = 0;  ///< a forked child inherits the list, but not the files
  int folder = -1;
  std::string name;
  std::atomic<bool> is_removed{false};  ///< by a handler, which has finished with it
};

/// Read by a handler, so without a lock. The thread that removes an entry from its slot, by exchange, owns
/// it: a handler may be reading an entry that another thread has finished with.
struct UnfinishedPlaces {
  std::array<std::atomic<UnfinishedFile::Entry*>, 64> entries{};

  static UnfinishedPlaces& of_process() {
    static constinit UnfinishedPlaces places;
    return places;
  }
};

UnfinishedFile::UnfinishedFile(int folder, const std::string& name) : entry_(nullptr) {
  auto entry = std::make_unique<Entry>();
  entry->process = ::getpid();
  entry->folder = folder;
  entry->name = name;
  for (std::atomic<Entry*>& place : UnfinishedPlaces::of_process().entries) {
    Entry* free = nullptr;
    if (!place.compare_exchange_strong(free, entry.get())) continue;
    entry_ = entry.release();
    return;
  }
}

UnfinishedFile::~UnfinishedFile() {
  if (entry_ == nullptr) return;
  for (std::atomic<Entry*>& place : UnfinishedPlaces::of_process().entries) {
    Entry* own = entry_;
    if (!place.compare_exchange_strong(own, nullptr)) continue;
    delete entry_;
    return;
  }
  // A handler has taken it, and may be reading it on another thread.
  if (entry_->is_removed) delete entry_;
}

void remove_unfinished_files() noexcept {
  const int error = errno;
  for (auto& place : UnfinishedPlaces::of_process().entries) {
    auto* entry = place.exchange(nullptr);
    if (entry == nullptr) continue;
    if (entry->process == ::getpid()) ::unlinkat(entry->folder, entry->name.c_str(), 0);
    entry->is_removed = true;
  }
  errno = error;
}

}  // namespace vaecuda
