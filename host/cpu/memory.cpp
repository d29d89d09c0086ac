#include "host/cpu/memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include "host/cpu/cgroup.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cpu {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

double mebibytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / 1048576.0;
}

[[noreturn]] void refuse(std::int64_t bytes, const std::string& what) {
  const HostMemory memory = host_memory();
  throw OutOfMemoryError(
      fmt::format("not enough memory for {}: {:.0f} MiB asked, {:.0f} MiB available of {:.0f} MiB; choose "
                  "smaller layers or a smaller batch size",
                  what, mebibytes(bytes), mebibytes(memory.available), mebibytes(memory.total)));
}

std::int64_t read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value ? value : -1;  // "max" in a cgroup file means no limit
}

/// File pages that the kernel reclaims when memory is needed, although a cgroup counts them as used.
std::int64_t reclaimable_bytes(const std::filesystem::path& statistics, std::string_view wanted) {
  std::ifstream file(statistics);
  std::string key;
  std::int64_t value = 0;
  while (file >> key >> value) {
    if (key == wanted) return value;
  }
  return 0;
}

/// Lowers `memory` to what remains of a cgroup's limit, if it has one.
void bound_by(const CgroupFolder& folder, HostMemory& memory) {
  const bool unified = folder.version == CgroupVersion::v2;
  const std::int64_t limit = read_number(folder.path / (unified ? "memory.max" : "memory.limit_in_bytes"));
  if (limit <= 0) return;
  const std::int64_t used = read_number(folder.path / (unified ? "memory.current" : "memory.usage_in_bytes"));
  if (used < 0) return;
  const std::int64_t held = used - reclaimable_bytes(folder.path / "memory.stat",
                                                     unified ? "inactive_file" : "total_inactive_file");
  memory.total = std::min(memory.total, limit);
  memory.available = std::min(memory.available, std::max<std::int64_t>(0, limit - held));
}

}  // namespace

void require_memory(std::int64_t bytes, const std::string& what) {
  constexpr std::int64_t kWorthAsking = 64 << 20;  // less is not worth checking
  if (bytes <= kWorthAsking) return;
  const HostMemory memory = host_memory();
  if (memory.total > 0 && bytes > memory.available) refuse(bytes, what);
}

FloatBuffer::FloatBuffer(std::int64_t size, const std::string& what, std::shared_ptr<ByteCounter> counter)
    : counter_(std::move(counter)) {
  if (size <= 0) return;
  if (size > std::numeric_limits<std::int64_t>::max() / 8)
    refuse(std::numeric_limits<std::int64_t>::max(), what);
  // Large buffers use huge pages: the update streams through four arrays at once, and with small pages it
  // would wait for TLB misses and for prefetchers, which stop at every page boundary.
  const std::size_t alignment =
      static_cast<std::size_t>(size) * sizeof(float) >= 2 * kHugePage ? kHugePage : kAlignment;
  const auto unit = static_cast<std::int64_t>(alignment);
  const std::int64_t bytes = (size * 4 + unit - 1) / unit * unit;
  require_memory(bytes, what);
  data_ = static_cast<float*>(std::aligned_alloc(alignment, static_cast<std::size_t>(bytes)));
  if (data_ == nullptr) refuse(bytes, what);
#if defined(MADV_HUGEPAGE)
  // Advice only: if it is not supported or refused, small pages are used.
  if (alignment == kHugePage) (void)madvise(data_, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);
#endif
  std::memset(data_, 0, static_cast<std::size_t>(bytes));
  size_ = size;
  *counter_ += size_ * 4;
}

FloatBuffer::FloatBuffer(FloatBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      counter_(std::move(other.counter_)) {}

FloatBuffer& FloatBuffer::operator=(FloatBuffer&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    counter_ = std::move(other.counter_);
  }
  return *this;
}

FloatBuffer::~FloatBuffer() {
  release();
}

void FloatBuffer::release() noexcept {
  if (data_ == nullptr) return;
  std::free(data_);
  *counter_ -= size_ * 4;
  data_ = nullptr;
  size_ = 0;
}

namespace {

/// Address space that remains to this process within its limit (ulimit -v).
std::int64_t address_space_left() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::int64_t>::max();
  }
  const std::int64_t pages = read_number("/proc/self/statm");  // its first number: the size in pages
  const std::int64_t used = std::max<std::int64_t>(0, pages) * sysconf(_SC_PAGESIZE);
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(limit.rlim_cur) - used);
}

}  // namespace

HostMemory read_host_memory(const std::filesystem::path& root) {
  HostMemory memory;
  std::ifstream file(root / "proc/meminfo");
  std::string key;
  std::string unit;
  std::int64_t kibibytes = 0;
  while (file >> key >> kibibytes) {
    if (key == "MemTotal:") memory.total = kibibytes * 1024;
    if (key == "MemAvailable:") memory.available = kibibytes * 1024;
    std::getline(file, unit);
  }
  if (memory.total <= 0) return memory;
  for (const CgroupFolder& folder : cgroup_folders(root, "memory")) bound_by(folder, memory);
  return memory;
}

HostMemory host_memory() {
  HostMemory memory = read_host_memory("/");
  if (memory.total > 0) memory.available = std::min(memory.available, address_space_left());
  return memory;
}

}  // namespace vaecuda::cpu
