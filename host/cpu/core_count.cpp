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

#include "host/cpu/cgroup.hpp"

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

/// Cores from quota and period in microseconds; none unless both are valid: −1 and "max" mean no limit.
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

/// The smallest quota of this process's cgroup and its ancestors.
std::optional<double> cgroup_quota(const fs::path& root) {
  std::optional<double> least;
  for (const CgroupFolder& folder : cgroup_folders(root, "cpu")) {
    const bool unified = folder.version == CgroupVersion::v2;
    lower(least, unified ? quota_v2(folder.path) : quota_v1(folder.path));
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
