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
  pid_t process;  ///< a forked child inherits the list, but not the files
  int folder;
  std::string name;
};

/// What a handler reads, so no lock guards it. Whoever takes an entry off its place, by exchange, owns it: a
/// handler may still read what another thread is done with.
struct UnfinishedPlaces {
  std::array<std::atomic<UnfinishedFile::Entry*>, 64> entries{};

  static UnfinishedPlaces& of_process() {
    static constinit UnfinishedPlaces places;
    return places;
  }
};

UnfinishedFile::UnfinishedFile(int folder, const std::string& name) : entry_(nullptr) {
  auto entry = std::make_unique<Entry>(Entry{::getpid(), folder, name});
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
}

void remove_unfinished_files() noexcept {
  const int error = errno;
  for (auto& place : UnfinishedPlaces::of_process().entries) {
    const auto* entry = place.exchange(nullptr);
    if (entry != nullptr && entry->process == ::getpid()) ::unlinkat(entry->folder, entry->name.c_str(), 0);
  }
  errno = error;
}

}  // namespace vaecuda
