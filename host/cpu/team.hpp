// The number of threads of a parallel region: what it was compiled for, fewer if other regions run
// concurrently, one in a forked child.
#pragma once

#include <atomic>
#include <memory>

namespace vaecuda::cpu {

/// Counts the running regions of a backend with several threads.
using RegionCounter = std::atomic<int>;

/// Whether this process was forked from one that had run a region with several threads. A child inherits the
/// OpenMP runtime's memory but not its threads, and such a region would wait for them for ever. The library
/// installs no fork handler; it compares the process id with that of the first such region.
[[nodiscard]] bool is_forked_from_threads();

/// How many of the `wanted` threads of a region this process can start, including the calling one: the OpenMP
/// runtime would end the process if one cannot be started. Tested once per process, by starting empty
/// threads.
[[nodiscard]] int startable_threads(int wanted);

/// One region, for the lifetime of the object.
class Team {
 public:
  /// `regions` may be null: no other region runs. The threads are shared evenly with the running regions.
  Team(int threads, std::shared_ptr<RegionCounter> regions);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  [[nodiscard]] int threads() const { return threads_; }

 private:
  std::shared_ptr<RegionCounter> regions_;
  int threads_ = 1;
};

}  // namespace vaecuda::cpu
