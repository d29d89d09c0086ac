// Memory of the CPU backend: aligned, counted, and refused with an error before the machine starts to swap.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace vaecuda::cpu {

/// Counts the bytes that a backend's buffers hold.
using ByteCounter = std::atomic<std::int64_t>;

/// An array of floats on a 64-byte boundary, zeroed. Move-only.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  /// \throws OutOfMemoryError naming the request, if `size` floats cannot be allocated.
  FloatBuffer(std::int64_t size, const std::string& what, std::shared_ptr<ByteCounter> counter);
  FloatBuffer(FloatBuffer&& other) noexcept;
  FloatBuffer& operator=(FloatBuffer&& other) noexcept;
  FloatBuffer(const FloatBuffer&) = delete;
  FloatBuffer& operator=(const FloatBuffer&) = delete;
  ~FloatBuffer();

  [[nodiscard]] float* data() const { return data_; }
  [[nodiscard]] std::int64_t size() const { return size_; }

 private:
  void release() noexcept;
  float* data_ = nullptr;
  std::int64_t size_ = 0;
  std::shared_ptr<ByteCounter> counter_;
};

/// Checks that `bytes` are available, because Linux overcommits memory and kills the process later. \throws
/// OutOfMemoryError naming `what`, if more than 64 MiB are requested and not available
void require_memory(std::int64_t bytes, const std::string& what);

/// Memory that is available to this process without swapping, and the total; zeros if unknown.
struct HostMemory {
  std::int64_t available = 0;
  std::int64_t total = 0;
};
/// MemAvailable, bounded by what remains of the limits of this process's cgroup and its ancestors (version 1
/// or 2). Missing or malformed files count as no limit. root: "/", in tests a temporary folder.
[[nodiscard]] HostMemory read_host_memory(const std::filesystem::path& root);
/// The same for this process at the time of the call, also bounded by its limit on address space.
[[nodiscard]] HostMemory host_memory();

}  // namespace vaecuda::cpu
