// How many threads a parallel region gets: what it was compiled for, less where other regions run beside it,
// one in a forked child.
#pragma once

#include <atomic>
#include <memory>

namespace vaecuda::cpu {

/// Counts the regions of several threads of a backend that are under way.
using RegionCounter = std::atomic<int>;

/// Whether this process was forked from one that had run a region of several threads. A child inherits the
/// OpenMP runtime's memory but not its threads, and a region of several would wait for them for ever. The
/// library installs no handler for forks; it compares the process's id with that of the first such region.
[[nodiscard]] bool is_forked_from_threads();

/// Of the `wanted` threads of a region as many as this process can start, itself among them: where one cannot
/// be had, the OpenMP runtime ends the process. Tried once a process, by starting threads that do nothing.
[[nodiscard]] int startable_threads(int wanted);

/// One region, for as long as it lives.
class Team {
 public:
  /// `regions` may be null: nothing runs beside it. The threads are shared evenly with what already runs.
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
