// How many threads are worth starting where nobody said: what the scheduler, the process's cgroup and the
// environment allow.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vaecuda::cpu {

/// What the system says, from the files below a root folder ("/" in use, a folder of a test's in tests).
struct CoreLimits {
  /// Cores that the scheduler gives this process, by its affinity mask; at least 1.
  int affinity = 1;
  /// Cores' worth of time that its cgroup and the ones above may use, of version 2 (`cpu.max`) or 1
  /// (`cpu.cfs_quota_us`), the smallest of them; none where there is no limit. Files that are missing or
  /// malformed limit nothing.
  std::optional<double> quota;
  /// The first number of OMP_NUM_THREADS, where it is one.
  std::optional<int> environment;
};

/// `omp_num_threads`: the variable's value, or null.
[[nodiscard]] CoreLimits read_core_limits(const std::filesystem::path& root, int affinity,
                                          const char* omp_num_threads);

/// The smallest limit, a quota rounded up; at least 1.
[[nodiscard]] int threads_within(const CoreLimits& limits);

/// The same for this process, as things are now. OMP_NUM_THREADS is read as the program sees it.
[[nodiscard]] int usable_cores();

}  // namespace vaecuda::cpu
