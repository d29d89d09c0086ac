// Device memory with an owner: zeroed, counted, and refused with a clear error.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "host/cuda/failure.hpp"
#include "host/cuda/runtime.hpp"

namespace vaecuda::cuda {

/// What everything that one backend made shares. It outlives all of them.
struct Context {
  std::unique_ptr<Runtime> runtime;
  std::int64_t allocated_bytes = 0;  ///< on the device, by all buffers that live
};

/// An array on the device, 256-byte aligned, zeroed in stream order. Move-only; empty by default.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  /// `count` elements. \throws OutOfMemoryError naming what was asked for.
  template <typename T>
  [[nodiscard]] static DeviceBuffer of(Context& context, std::int64_t count, const std::string& what) {
    constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
    if (count > std::numeric_limits<std::int64_t>::max() / kSize) {
      refuse_memory(*context.runtime, std::numeric_limits<std::int64_t>::max(), what);
    }
    return DeviceBuffer(context, count * kSize, what);
  }
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : context_(std::exchange(other.context_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer() { release(); }

  /// Null where the buffer is empty.
  template <typename T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  DeviceBuffer(Context& context, std::int64_t bytes, const std::string& what);
  void release() noexcept;

  Context* context_ = nullptr;
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

/// Host memory that the device copies to while the host goes on. Move-only; empty by default.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  /// \throws OutOfMemoryError naming what was asked for.
  PinnedBuffer(Runtime& runtime, std::int64_t bytes, const std::string& what);
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : runtime_(std::exchange(other.runtime_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept;
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;
  ~PinnedBuffer() { release(); }

  template <typename T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void release() noexcept;

  Runtime* runtime_ = nullptr;
  void* data_ = nullptr;
};

/// Waits for all work without reporting failures: before memory that the work uses is given back.
void quiesce(Runtime& runtime) noexcept;

}  // namespace vaecuda::cuda
