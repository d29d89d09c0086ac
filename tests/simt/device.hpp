// The interface of kernels/device/device.cuh for kernels that run on the CPU, one fiber per CUDA thread.
// Only kernel files include it; they are compiled with -DVAECUDA_SIMT -fsanitize=thread, and what stands
// behind it (tests/simt/*.cpp) is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/device/failure.hpp"
#include "kernels/stream.hpp"
#include "simt/kernel_call.hpp"
#include "simt/vector_types.hpp"

// __restrict__ is the host compiler's own.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))

#define threadIdx (::vaecuda::simt::thread_index())
#define blockIdx (::vaecuda::simt::block_index())
#define blockDim (::vaecuda::simt::block_extent())
#define gridDim (::vaecuda::simt::grid_extent())

namespace vaecuda::simt {

struct Index3 {
  unsigned x, y, z;
};
// Constant for each fiber, and a fiber runs one thread of one block.
[[gnu::const]] Index3 thread_index() noexcept;
[[gnu::const]] Index3 block_index() noexcept;
[[gnu::const]] Index3 block_extent() noexcept;
[[gnu::const]] Index3 grid_extent() noexcept;

void* shared_array(const void* key, std::size_t bytes);
void* dynamic_shared();
/// The place in the source tells one barrier from another.
void block_barrier(const char* file, unsigned line);
void grid_barrier(const char* file, unsigned line);
std::uint64_t shuffle_xor(std::uint64_t bits, unsigned bytes, int mask);
void raise_flag(std::int32_t* flag);
void atomic_min(std::int64_t* target, std::int64_t value);
std::uint32_t take_ticket(std::uint32_t* counter);

/// One object per instance of device::shared_array: its address names the array.
template <typename T, int kCount, int kId>
inline constexpr char kSharedArrayKey = 0;

}  // namespace vaecuda::simt

namespace vaecuda::device {

inline constexpr int kWarpSize = 32;
inline constexpr unsigned kFullWarp = 0xFFFFFFFFU;

struct LaunchShape {
  unsigned blocks = 1;
  unsigned threads_x = 1;
  unsigned threads_y = 1;
  unsigned dynamic_shared_bytes = 0;
};

template <typename... Parameters, typename... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape, kernels::Stream stream,
            const Arguments&... arguments) {
  simt::enqueue(stream,
                {name, shape.blocks, shape.threads_x, shape.threads_y, shape.dynamic_shared_bytes, false},
                std::make_unique<simt::TypedCall<Parameters...>>(kernel, arguments...));
}

template <typename... Parameters, typename... Arguments>
void launch_cooperative(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                        kernels::Stream stream, Parameters... arguments) {
  simt::enqueue(stream,
                {name, shape.blocks, shape.threads_x, shape.threads_y, shape.dynamic_shared_bytes, true},
                std::make_unique<simt::TypedCall<Parameters...>>(kernel, arguments...));
}

/// Kernels of a stream run one after the other here, so nothing overlaps.
template <typename... Parameters, typename... Arguments>
void launch_overlapped(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                       kernels::Stream stream, const Arguments&... arguments) {
  launch(name, kernel, shape, stream, arguments...);
}

/// All clusters of a launch run together, as one: cluster_barrier() is a barrier of the grid.
template <typename... Parameters>
void launch_clusters(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                     unsigned cluster, kernels::Stream stream, Parameters... arguments) {
  if (cluster == 0 || shape.blocks % cluster != 0) throw Failure(std::string("kernel ") + name, 912);
  launch_cooperative(name, kernel, shape, stream, arguments...);
}

template <typename T, int kCount, int kId = 0>
__device__ __forceinline__ T* shared_array() {
  static_assert(std::is_trivially_default_constructible_v<T> && std::is_trivially_destructible_v<T>);
  return static_cast<T*>(simt::shared_array(&simt::kSharedArrayKey<T, kCount, kId>, sizeof(T) * kCount));
}

template <typename T>
__device__ __forceinline__ T* dynamic_shared() {
  return static_cast<T*>(simt::dynamic_shared());
}

// A default argument is evaluated where the barrier is called: that is the place.
__device__ __forceinline__ void block_barrier(const char* file = __builtin_FILE(),
                                              unsigned line = __builtin_LINE()) {
  simt::block_barrier(file, line);
}

__device__ __forceinline__ void grid_barrier(const char* file = __builtin_FILE(),
                                             unsigned line = __builtin_LINE()) {
  simt::grid_barrier(file, line);
}

__device__ __forceinline__ void grid_barrier_by_hand(std::uint32_t* counter, std::uint32_t, unsigned,
                                                     const char* file = __builtin_FILE(),
                                                     unsigned line = __builtin_LINE()) {
  simt::block_barrier(file, line);
  if (threadIdx.x == 0 && threadIdx.y == 0) simt::take_ticket(counter);
  simt::grid_barrier(file, line);
}

__device__ __forceinline__ void cluster_barrier(const char* file = __builtin_FILE(),
                                                unsigned line = __builtin_LINE()) {
  simt::grid_barrier(file, line);
}

__device__ __forceinline__ void allow_next_kernel() {}
__device__ __forceinline__ void wait_for_previous_kernel() {}

template <typename T>
__device__ __forceinline__ T shuffle_xor(T value, int mask) {
  static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const std::uint64_t other = simt::shuffle_xor(__builtin_bit_cast(Bits, value), sizeof(T), mask);
  return __builtin_bit_cast(T, static_cast<Bits>(other));
}

__device__ __forceinline__ void raise_flag(std::int32_t* flag) {
  simt::raise_flag(flag);
}

__device__ __forceinline__ void atomic_min(std::int64_t* target, std::int64_t value) {
  simt::atomic_min(target, value);
}

__device__ __forceinline__ std::uint32_t take_ticket(std::uint32_t* counter) {
  return simt::take_ticket(counter);
}

template <typename Vector>
__device__ __forceinline__ void store_vector(void* address, const Vector& value) {
  *static_cast<Vector*>(address) = value;
}

template <typename T>
__device__ __forceinline__ T load_fresh(const T* address) {
  return *address;
}

}  // namespace vaecuda::device
