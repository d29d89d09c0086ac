#include "host/io/unfinished_files.hpp"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>

#include "vaecuda/output.hpp"

namespace vaecuda {

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
