#include "host/cpu/team.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace vaecuda::cpu {
namespace {

/// The process that ran the first region of several threads; 0: there was none. The OpenMP runtime's threads
/// belong to the process, whichever backend started them, and so does this.
std::atomic<pid_t>& owner_of_threads() {
  static std::atomic<pid_t> owner{0};
  return owner;
}

/// Records that this process starts threads. False if they were started by a parent process.
bool may_have_threads() {
  const pid_t self = ::getpid();
  pid_t owner = 0;
  return owner_of_threads().compare_exchange_strong(owner, self) || owner == self;
}

/// Starts `wanted` − 1 threads that end together.
int count_startable(int wanted) {
  std::vector<std::thread> threads;
  std::atomic<bool> ends{false};
  try {
    threads.reserve(static_cast<std::size_t>(wanted));
    while (static_cast<int>(threads.size()) < wanted - 1) threads.emplace_back([&ends] { ends.wait(false); });
  } catch (const std::exception&) {
    // No thread, or no memory for one: the result is the number so far.
  }
  const auto found = static_cast<int>(threads.size()) + 1;
  ends = true;
  ends.notify_all();
  for (std::thread& thread : threads) thread.join();
  return found;
}

/// The last attempt, and its process. Aligned to its size, so that reading it needs no library lock.
struct alignas(8) Tried {
  pid_t process = 0;
  std::uint16_t wanted = 0;
  std::uint16_t found = 0;
};

}  // namespace

int startable_threads(int wanted) {
  static std::atomic<Tried> tried{Tried{}};
  constexpr int kMost = 0xffff;
  const int asked = std::clamp(wanted, 1, kMost);
  Tried known = tried.load();
  const pid_t self = ::getpid();
  if (known.process != self || known.wanted < asked) {
    known = {self, static_cast<std::uint16_t>(asked), static_cast<std::uint16_t>(count_startable(asked))};
    tried.store(known);
  }
  return std::min<int>(asked, known.found);
}

bool is_forked_from_threads() {
  const pid_t owner = owner_of_threads().load();
  return owner != 0 && owner != ::getpid();
}

Team::Team(int threads, std::shared_ptr<RegionCounter> regions) {
  if (threads < 2) return;
  regions_ = std::move(regions);
  const int running = regions_ != nullptr ? regions_->fetch_add(1) + 1 : 1;
  const int share = std::max(1, threads / running);
  threads_ = share > 1 && may_have_threads() ? startable_threads(share) : 1;
}

Team::~Team() {
  if (regions_ != nullptr) regions_->fetch_sub(1);
}

}  // namespace vaecuda::cpu
