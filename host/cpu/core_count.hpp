// The default number of threads: what the scheduler, the process's cgroup and the environment allow.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vaecuda::cpu {

/// The limits of the system, from files below a root folder ("/", in tests a temporary folder).
struct CoreLimits {
  /// Cores that the scheduler gives this process, by its affinity mask; at least 1.
  int affinity = 1;
  /// The smallest CPU quota, in cores, of its cgroup and the ancestors, of version 2 (`cpu.max`) or 1
  /// (`cpu.cfs_quota_us`); none without a limit. Missing or malformed files count as no limit.
  std::optional<double> quota;
  /// The first number of OMP_NUM_THREADS; none if it is not a number.
  std::optional<int> environment;
};

/// `omp_num_threads`: the variable's value, or null.
[[nodiscard]] CoreLimits read_core_limits(const std::filesystem::path& root, int affinity,
                                          const char* omp_num_threads);

/// The smallest limit, a quota rounded up; at least 1.
[[nodiscard]] int threads_within(const CoreLimits& limits);

/// The same for this process at the time of the call. OMP_NUM_THREADS is that of the environment.
[[nodiscard]] int usable_cores();

}  // namespace vaecuda::cpu
