// How many threads are started where nobody says: the affinity mask, the cgroup's quota and OMP_NUM_THREADS,
// each from files as systems have them. And how much memory there is: the system's, and the cgroup's limits.
#include <filesystem>
#include <fstream>
#include <string>

#include "host/cpu/core_count.hpp"
#include "host/cpu/memory.hpp"
#include "host/plan/backend.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace vaecuda;

namespace {

/// A root folder with files of a test's.
class System {
 public:
  System& write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }
  [[nodiscard]] int threads(int affinity, const char* omp_num_threads = nullptr) const {
    return cpu::threads_within(cpu::read_core_limits(folder_.path(), affinity, omp_num_threads));
  }
  [[nodiscard]] cpu::HostMemory memory() const { return cpu::read_host_memory(folder_.path()); }

 private:
  test::TempDir folder_;
};

}  // namespace

TEST_CASE("without a limit there is a thread for every core of the mask", "[cores]") {
  CHECK(System().threads(16) == 16);
  CHECK(System().threads(0) == 1);
  System system;
  system.write("proc/self/cgroup", "0::/user.slice\n")
      .write("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
  CHECK(system.threads(16) == 16);
  CHECK(cpu::usable_cores() >= 1);
}

TEST_CASE("a quota of version 2 counts, rounded up, wherever it is on the way to the root", "[cores]") {
  System system;
  system.write("proc/self/cgroup", "0::/kubepods/pod7/box\n");
  system.write("sys/fs/cgroup/kubepods/pod7/box/cpu.max", "250000 100000\n");
  CHECK(system.threads(16) == 3);
  CHECK(system.threads(2) == 2);
  system.write("sys/fs/cgroup/kubepods/pod7/cpu.max", "150000 100000\n");
  CHECK(system.threads(16) == 2);
  system.write("sys/fs/cgroup/kubepods/cpu.max", "max 100000\n");
  CHECK(system.threads(16) == 2);
  system.write("sys/fs/cgroup/kubepods/pod7/cpu.max", "20000 100000\n");
  CHECK(system.threads(16) == 1);
}

TEST_CASE("a container that sees its own cgroup as the root has the root's quota", "[cores]") {
  // With a namespace of its own the path is "/"; without one it is the host's, which is not mounted here.
  for (const char* path : {"/", "/docker/0123abcd", "/../../other"}) {
    System system;
    system.write("proc/self/cgroup", std::string("0::") + path + "\n");
    system.write("sys/fs/cgroup/cpu.max", "400000 100000\n");
    CHECK(system.threads(64) == 4);
  }
}

TEST_CASE("a quota of version 1 counts under its controller's name", "[cores]") {
  for (const char* mount : {"cpu,cpuacct", "cpu"}) {
    System system;
    system.write("proc/self/cgroup",
                 "12:memory:/box\n4:cpu,cpuacct:/box\n3:cpuset:/box\n1:name=systemd:/\n0::/\n");
    const std::string folder = std::string("sys/fs/cgroup/") + mount + "/box/";
    system.write(folder + "cpu.cfs_quota_us", "-1\n").write(folder + "cpu.cfs_period_us", "100000\n");
    CHECK(system.threads(8) == 8);
    system.write(folder + "cpu.cfs_quota_us", "300000\n");
    CHECK(system.threads(8) == 3);
    system.write(std::string("sys/fs/cgroup/") + mount + "/cpu.cfs_quota_us", "50000\n");
    system.write(std::string("sys/fs/cgroup/") + mount + "/cpu.cfs_period_us", "50000\n");
    CHECK(system.threads(8) == 1);
  }
  // "cpuset" and "cpuacct" alone are other controllers.
  System other;
  other.write("proc/self/cgroup", "3:cpuset:/box\n2:cpuacct:/box\n");
  other.write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "100000\n");
  other.write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  CHECK(other.threads(8) == 8);
}

TEST_CASE("version 2 beside version 1 is found in its own folder", "[cores]") {
  System system;
  system.write("proc/self/cgroup", "1:name=systemd:/a\n0::/a\n");
  system.write("sys/fs/cgroup/unified/a/cpu.max", "200000 100000\n");
  CHECK(system.threads(8) == 2);
}

TEST_CASE("files that make no sense limit nothing", "[cores]") {
  for (const char* text : {"", "\n", "max", "100000", "0 100000", "-5 100000", "100000 0", "1e5 1e5",
                           "12x 100000", "99999999999999999999 100000", "100000 100000 100000"}) {
    INFO("cpu.max holds " << text);
    System system;
    system.write("proc/self/cgroup", "0::/a\n").write("sys/fs/cgroup/a/cpu.max", text);
    CHECK(system.threads(8) == 8);
  }
  for (const char* text : {"", "nonsense", "::", "0:", "0::", ":\n:\n\n"}) {
    INFO("/proc/self/cgroup holds " << text);
    System system;
    system.write("proc/self/cgroup", text);
    CHECK(system.threads(8) == 8);
  }
}

TEST_CASE("the first number of OMP_NUM_THREADS caps the threads and never adds any", "[cores]") {
  System system;
  system.write("proc/self/cgroup", "0::/a\n").write("sys/fs/cgroup/a/cpu.max", "400000 100000\n");
  CHECK(system.threads(8, "2") == 2);
  CHECK(system.threads(8, " 3 ,1") == 3);
  CHECK(system.threads(8, "64") == 4);
  for (const char* text : {"", "0", "-2", "two", "2x", ",2", "99999999999"})
    CHECK(system.threads(8, text) == 4);
}

TEST_CASE("a number that was asked for stands", "[cores]") {
  CHECK(make_cpu_backend(7)->device().threads == 7);
  CHECK(make_cpu_backend(0)->device().threads == cpu::usable_cores());
}

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

/// 1,000 MiB, of which 600 are available.
void make_machine(System& system, const std::string& cgroups) {
  system.write("proc/meminfo", "MemTotal:        1024000 kB\nMemFree: 5 kB\nMemAvailable:     614400 kB\n");
  system.write("proc/self/cgroup", cgroups);
}

std::string mebibytes(std::int64_t count) {
  return std::to_string(count * kMiB) + "\n";
}

}  // namespace

TEST_CASE("memory is the system's where no cgroup limits it", "[memory]") {
  System system;
  make_machine(system, "0::/a\n");
  system.write("sys/fs/cgroup/a/memory.max", "max\n").write("sys/fs/cgroup/a/memory.current", mebibytes(5));
  CHECK(system.memory().total == 1000 * kMiB);
  CHECK(system.memory().available == 600 * kMiB);
  CHECK(System().memory().total == 0);
}

TEST_CASE("a cgroup's limit of memory binds wherever it is on the way to the root", "[memory]") {
  for (const char* folder : {"", "kubepods/", "kubepods/pod7/"}) {
    INFO("the limit is in /" << folder);
    System system;
    make_machine(system, "0::/kubepods/pod7\n");
    const std::string path = std::string("sys/fs/cgroup/") + folder;
    system.write(path + "memory.max", mebibytes(300)).write(path + "memory.current", mebibytes(280));
    CHECK(system.memory().total == 300 * kMiB);
    CHECK(system.memory().available == 20 * kMiB);
    // Pages of files are given back to whoever needs memory.
    system.write(path + "memory.stat", "anon 1\ninactive_file " + mebibytes(100));
    CHECK(system.memory().available == 120 * kMiB);
  }
}

TEST_CASE("a limit of memory of version 1 binds under its controller's name", "[memory]") {
  System system;
  make_machine(system, "9:memory:/box\n4:cpu,cpuacct:/box\n0::/\n");
  const std::string path = "sys/fs/cgroup/memory/box/";
  system.write(path + "memory.limit_in_bytes", "9223372036854771712\n");
  system.write(path + "memory.usage_in_bytes", mebibytes(90));
  CHECK(system.memory().available == 600 * kMiB);
  system.write(path + "memory.limit_in_bytes", mebibytes(100));
  system.write(path + "memory.stat", "inactive_file 7\ntotal_inactive_file " + mebibytes(30));
  CHECK(system.memory().total == 100 * kMiB);
  CHECK(system.memory().available == 40 * kMiB);
}
