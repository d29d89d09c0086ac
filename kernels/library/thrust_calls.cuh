// How Thrust is called here: on one stream, with memory from a Scratch, and with failures as device::Failure.
#pragma once

#include <thrust/execution_policy.h>
#include <thrust/system_error.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/device/failure.hpp"
#include "kernels/library/analysis.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

/// What Thrust asks for memory.
class ThrustAllocator {
 public:
  using value_type = char;
  explicit ThrustAllocator(Scratch& scratch) : scratch_(&scratch) {}
  [[nodiscard]] char* allocate(std::ptrdiff_t bytes) {
    return static_cast<char*>(scratch_->take(static_cast<std::int64_t>(bytes)));
  }
  void deallocate(char* memory, std::size_t /*bytes*/) noexcept { scratch_->give_back(memory); }

 private:
  Scratch* scratch_;
};

/// An array for the time of a call.
template <typename T>
class ScratchArray {
 public:
  ScratchArray(Scratch& scratch, std::int64_t count)
      : scratch_(scratch),
        data_(static_cast<T*>(scratch.take(count * static_cast<std::int64_t>(sizeof(T))))) {}
  ScratchArray(const ScratchArray&) = delete;
  ScratchArray& operator=(const ScratchArray&) = delete;
  ~ScratchArray() { scratch_.give_back(data_); }
  [[nodiscard]] T* begin() const { return data_; }

 private:
  Scratch& scratch_;
  T* data_;
};

/// Calls `use` with the policy for Thrust's algorithms.
template <typename Use>
decltype(auto) with_thrust(const char* call, Stream stream, Scratch& scratch, Use&& use) {
  ThrustAllocator allocator(scratch);
  try {
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    return std::forward<Use>(use)(thrust::cuda::par(allocator).on(stream));
#else
    static_cast<void>(stream);
    return std::forward<Use>(use)(thrust::cpp::par(allocator));
#endif
  } catch (const thrust::system_error& error) {
    throw device::Failure(call, error.code().value());
  }
}

}  // namespace vaecuda::kernels
