#include "host/cpu/team.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace vaecuda::cpu {
namespace {

/// The process that ran the first region of several threads; 0: there was none. The OpenMP runtime's threads
/// belong to the process, whatever backend asked for them first, so this does too.
std::atomic<pid_t>& owner_of_threads() {
  static std::atomic<pid_t> owner{0};
  return owner;
}

/// Notes that this process is about to have threads. False where they are another one's.
bool may_have_threads() {
  const pid_t self = ::getpid();
  pid_t owner = 0;
  return owner_of_threads().compare_exchange_strong(owner, self) || owner == self;
}

}  // namespace

bool is_forked_from_threads() {
  const pid_t owner = owner_of_threads().load();
  return owner != 0 && owner != ::getpid();
}

Team::Team(int threads, std::shared_ptr<RegionCounter> regions) {
  if (threads < 2) return;
  regions_ = std::move(regions);
  const int running = regions_ != nullptr ? regions_->fetch_add(1) + 1 : 1;
  const int share = std::max(1, threads / running);
  threads_ = share > 1 && may_have_threads() ? share : 1;
}

Team::~Team() {
  if (regions_ != nullptr) regions_->fetch_sub(1);
}

}  // namespace vaecuda::cpu
