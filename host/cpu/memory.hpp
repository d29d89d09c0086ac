// Memory of the CPU backend: aligned, counted, and refused with a clear error before the machine starts to
// swap.
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
  /// \throws OutOfMemoryError naming what was asked for, if `size` floats are not to be had.
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

/// Linux hands out memory that it does not have, and kills later without a word: what is large is asked for
/// first. \throws OutOfMemoryError naming `what`, if so many bytes, more than 64 MiB, are not available
void require_memory(std::int64_t bytes, const std::string& what);

/// Memory that this process can still get without swapping, and the total; zeros where the system does not
/// tell.
struct HostMemory {
  std::int64_t available = 0;
  std::int64_t total = 0;
};
/// MemAvailable, bounded by what this process's cgroup and those above it (version 1 or 2) leave of their
/// limits. Files that are missing or malformed limit nothing. root: "/" in use, a folder of a test's in
/// tests.
[[nodiscard]] HostMemory read_host_memory(const std::filesystem::path& root);
/// The same for this process as things are now, bounded by its limit of address space too.
[[nodiscard]] HostMemory host_memory();

}  // namespace vaecuda::cpu
