#include "host/cpu/core_count.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

namespace vaecuda::cpu {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The words of a file's first line.
std::vector<std::string> words_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> words;
  for (std::string word; words.size() < 4 && file >> word;) words.push_back(word);
  return words;
}

/// Cores by two numbers of microseconds; none unless both are sensible: −1 and "max" mean no limit.
std::optional<double> cores_of(std::string_view quota, std::string_view period) {
  const std::optional<std::int64_t> used = number_of(quota);
  const std::optional<std::int64_t> of = number_of(period);
  if (!used || !of || *used <= 0 || *of <= 0) return std::nullopt;
  return static_cast<double>(*used) / static_cast<double>(*of);
}

std::optional<double> quota_v2(const fs::path& folder) {
  const std::vector<std::string> words = words_of(folder / "cpu.max");
  return words.size() == 2 ? cores_of(words[0], words[1]) : std::nullopt;
}

std::optional<double> quota_v1(const fs::path& folder) {
  const std::vector<std::string> quota = words_of(folder / "cpu.cfs_quota_us");
  const std::vector<std::string> period = words_of(folder / "cpu.cfs_period_us");
  return quota.size() == 1 && period.size() == 1 ? cores_of(quota[0], period[0]) : std::nullopt;
}

void lower(std::optional<double>& least, const std::optional<double>& other) {
  if (other && (!least || *other < *least)) least = other;
}

/// The smallest quota of a cgroup and of those above it. A container may see its own cgroup as the mount's
/// root while /proc still names it from the host's: then only the root's file is there, and it is the one
/// that counts.
template <typename Quota>
std::optional<double> least_quota(const fs::path& mount, const std::string& cgroup, const Quota& quota_of) {
  std::optional<double> least = quota_of(mount);
  fs::path folder = mount;
  for (const fs::path& part : fs::path(cgroup).relative_path()) {
    if (part == "..") return least;  // outside of what is mounted here
    folder /= part;
    lower(least, quota_of(folder));
  }
  return least;
}

bool names_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "cpu") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

std::optional<double> cgroup_quota(const fs::path& root) {
  const fs::path mounts = root / "sys/fs/cgroup";
  std::ifstream file(root / "proc/self/cgroup");
  std::optional<double> least;
  // A line is ID:CONTROLLERS:PATH; version 2 has 0 and no controllers.
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      lower(least, least_quota(mounts, path, quota_v2));
      lower(least, least_quota(mounts / "unified", path, quota_v2));  // beside version 1
    } else if (names_cpu(controllers)) {
      lower(least, least_quota(mounts / controllers, path, quota_v1));
      lower(least, least_quota(mounts / "cpu", path, quota_v1));
    }
  }
  return least;
}

std::optional<int> first_number(const char* text) {
  if (text == nullptr) return std::nullopt;
  std::string_view list(text);
  list = list.substr(0, list.find(','));
  constexpr std::string_view kBlanks = " \t";
  list.remove_prefix(std::min(list.find_first_not_of(kBlanks), list.size()));
  list = list.substr(0, list.find_last_not_of(kBlanks) + 1);
  const std::optional<std::int64_t> number = number_of(list);
  if (!number || *number < 1 || *number > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(*number);
}

/// Cores in this process's affinity mask, which may be wider than cpu_set_t.
int cores_in_mask() {
  constexpr int kMostCores = 1 << 20;
  for (int cores = CPU_SETSIZE; cores <= kMostCores; cores *= 2) {
    std::vector<cpu_set_t> set(static_cast<std::size_t>(cores / CPU_SETSIZE));
    const std::size_t bytes = set.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, set.data()) == 0) return std::max(1, CPU_COUNT_S(bytes, set.data()));
  }
  return std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace

CoreLimits read_core_limits(const fs::path& root, int affinity, const char* omp_num_threads) {
  return {std::max(1, affinity), cgroup_quota(root), first_number(omp_num_threads)};
}

int threads_within(const CoreLimits& limits) {
  int threads = limits.affinity;
  if (limits.quota) threads = static_cast<int>(std::min<double>(threads, std::ceil(*limits.quota)));
  if (limits.environment) threads = std::min(threads, *limits.environment);
  return std::max(1, threads);
}

int usable_cores() {
  return threads_within(read_core_limits("/", cores_in_mask(), std::getenv("OMP_NUM_THREADS")));
}

}  // namespace vaecuda::cpu
