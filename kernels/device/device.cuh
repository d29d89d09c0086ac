// What a kernel stands on: launch, shared memory, barriers, shuffles, atomics. Kernels use nothing of CUDA
// but this folder, thread indices and the qualifiers __global__, __device__, __restrict__ and
// __launch_bounds__; so the same source also runs on a CPU, one fiber per thread, under an emulation of this
// header that watches every load and store (VAECUDA_SIMT).
#pragma once

#include <cstdint>

#include "kernels/stream.hpp"

#if defined(VAECUDA_SIMT)
#include "simt/device.hpp"
#else

#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include "kernels/device/failure.hpp"

namespace vaecuda::device {

inline constexpr int kWarpSize = 32;
inline constexpr unsigned kFullWarp = 0xFFFFFFFFU;

/// Grid and block of a launch; blocks of (x, y) threads, x fastest.
struct LaunchShape {
  unsigned blocks = 1;
  unsigned threads_x = 1;
  unsigned threads_y = 1;
  unsigned dynamic_shared_bytes = 0;
};

/// Puts kernel<<<shape>>>(arguments…) on the stream. `name` is what an error message calls the kernel.
/// \throws Failure if the launch is refused.
template <typename... Parameters, typename... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape, kernels::Stream stream,
            const Arguments&... arguments) {
  // clang-format off
  kernel<<<dim3(shape.blocks), dim3(shape.threads_x, shape.threads_y), shape.dynamic_shared_bytes, stream>>>(
      arguments...);
  // clang-format on
  check_launch(name, static_cast<int>(cudaGetLastError()));
}

/// The same for a kernel that calls grid_barrier(): all its blocks must fit the device at once.
template <typename... Parameters>
void launch_cooperative(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                        kernels::Stream stream, Parameters... arguments) {
  void* pointers[] = {&arguments...};
  check_launch(name,
               static_cast<int>(cudaLaunchCooperativeKernel(
                   reinterpret_cast<const void*>(kernel), dim3(shape.blocks),
                   dim3(shape.threads_x, shape.threads_y), pointers, shape.dynamic_shared_bytes, stream)));
}

/// A launch with an attribute of CUDA's extended launches.
template <typename... Parameters>
void launch_with(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                 kernels::Stream stream, cudaLaunchAttribute attribute, Parameters... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(shape.blocks);
  config.blockDim = dim3(shape.threads_x, shape.threads_y);
  config.dynamicSmemBytes = shape.dynamic_shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  check_launch(name, static_cast<int>(cudaLaunchKernelEx(&config, kernel, arguments...)));
}

/// The same as launch() for a kernel that may start before the kernel in front of it in the stream has ended,
/// and calls wait_for_previous_kernel() where it needs that end. Needs sm_90.
template <typename... Parameters>
void launch_overlapped(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                       kernels::Stream stream, Parameters... arguments) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  launch_with(name, kernel, shape, stream, attribute, arguments...);
}

/// The same for a kernel that calls cluster_barrier(): clusters of so many neighbouring blocks. Needs sm_90.
template <typename... Parameters>
void launch_clusters(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                     unsigned cluster, kernels::Stream stream, Parameters... arguments) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = cluster;
  attribute.val.clusterDim.y = 1;
  attribute.val.clusterDim.z = 1;
  launch_with(name, kernel, shape, stream, attribute, arguments...);
}

/// An array in the block's shared memory, not initialized. One array per (T, kCount, kId): two arrays of a
/// kernel that are alike need different kId.
template <typename T, int kCount, int kId = 0>
__device__ __forceinline__ T* shared_array() {
  __shared__ T storage[kCount];
  return storage;
}

/// The launch's dynamic shared memory.
template <typename T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char storage[];
  return reinterpret_cast<T*>(storage);
}

/// Every thread of the block must come here; orders shared and global memory within the block.
__device__ __forceinline__ void block_barrier() {
  __syncthreads();
}

/// Every thread of the grid must come here; only in kernels launched cooperatively.
__device__ __forceinline__ void grid_barrier() {
  cooperative_groups::this_grid().sync();
}

/// A grid_barrier() of the grid's `blocks` by an atomic counter, 0 before the first: `turn` counts the
/// barriers of the launch from 0. Only in kernels launched cooperatively, since every block must be on the
/// device.
__device__ __forceinline__ void grid_barrier_by_hand(std::uint32_t* counter, std::uint32_t turn,
                                                     unsigned blocks) {
  block_barrier();
  if (threadIdx.x == 0 && threadIdx.y == 0) {
    __threadfence();
    atomicAdd(counter, 1U);
    const std::uint32_t all = (turn + 1U) * blocks;
    while (*static_cast<volatile std::uint32_t*>(counter) < all) {
    }
    __threadfence();
  }
  block_barrier();
}

/// Every thread of the cluster must come here; orders what its blocks write. Only in kernels launched by
/// launch_clusters().
__device__ __forceinline__ void cluster_barrier() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile(
      "barrier.cluster.arrive.release.aligned;\n\t"
      "barrier.cluster.wait.acquire.aligned;" ::
          : "memory");
#else
  __trap();  // no older device can launch clusters
#endif
}

/// From here on the next kernel in the stream may start, if it was launched by launch_overlapped().
__device__ __forceinline__ void allow_next_kernel() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/// Waits until the kernel in front has ended and what it wrote is visible.
__device__ __forceinline__ void wait_for_previous_kernel() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// The value of the lane whose number differs in the bits of `mask`. All 32 lanes of the warp must take part.
template <typename T>
__device__ __forceinline__ T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(kFullWarp, value, mask);
}

/// Sets a flag that other blocks may set as well.
__device__ __forceinline__ void raise_flag(std::int32_t* flag) {
  atomicOr(flag, 1);
}

/// *target = min(*target, value), whatever the order of the threads.
__device__ __forceinline__ void atomic_min(std::int64_t* target, std::int64_t value) {
  static_assert(sizeof(long long) == sizeof(std::int64_t));
  atomicMin(reinterpret_cast<long long*>(target), static_cast<long long>(value));
}

/// One thread of each block calls this after a block_barrier(): what the block has written becomes visible to
/// the blocks with later tickets. Gives the number of tickets taken before.
__device__ __forceinline__ std::uint32_t take_ticket(std::uint32_t* counter) {
  __threadfence();
  const std::uint32_t ticket = atomicAdd(counter, 1U);
  __threadfence();
  return ticket;
}

/// One access of the vector's size, whose alignment the address must have. The compiler takes the store of a
/// struct apart into its members, and leaves it so where the address is a sum such as row · stride + column.
template <typename Vector>
__device__ __forceinline__ void store_vector(void* address, const Vector& value) {
  __stwb(static_cast<Vector*>(address), value);
}

/// A load that sees what other blocks have written, past the caches of this multiprocessor: for data of other
/// blocks, behind take_ticket().
template <typename T>
__device__ __forceinline__ T load_fresh(const T* address) {
  return __ldcg(address);
}

}  // namespace vaecuda::device

#endif
