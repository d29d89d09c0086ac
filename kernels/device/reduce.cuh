// Sums in a fixed order: over a warp, over a group of threads that works on one row, over a block.
#pragma once

#include <cstdint>

#include "kernels/device/device.cuh"
#include "kernels/device/tile.cuh"

namespace vaecuda::device {

/// The sum over kLanes neighbouring lanes of a warp (a power of two), the same bits in each of them. All 32
/// lanes must take part.
template <int kLanes, typename T>
__device__ __forceinline__ T lane_sum(T value) {
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

/// The largest over kLanes neighbouring lanes of a warp (a power of two), in each of them; a NaN may or may
/// not come through. All 32 lanes must take part.
template <int kLanes>
__device__ __forceinline__ float lane_max(float value) {
  for (int mask = kLanes / 2; mask > 0; mask /= 2) {
    const float other = shuffle_xor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

/// The sum over the warp's 32 lanes, the same bits in every lane.
template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
  return lane_sum<kWarpSize>(value);
}

/// kThreads threads that work on one row together: whole warps, or a power of two of neighbouring lanes. A
/// block of (kThreads, kRows) threads holds kRows such groups and is made of whole warps. All threads of the
/// block must call its members together.
template <int kThreads, int kRows>
struct RowGroup {
  static_assert(kThreads % kWarpSize == 0 || (kThreads > 0 && kWarpSize % kThreads == 0));
  static_assert(kThreads * kRows % kWarpSize == 0 && kThreads * kRows <= 1024);
  static constexpr int kLanes = kThreads < kWarpSize ? kThreads : kWarpSize;
  static constexpr int kWarps = kThreads / kLanes;
  static constexpr int kBlockThreads = kThreads * kRows;
  static constexpr int kBlockRows = kRows;
  static constexpr int kThreadsPerRow = kThreads;

  /// A launch with a group for each of `rows` rows.
  static LaunchShape shape(std::int64_t rows) {
    return LaunchShape{static_cast<unsigned>((rows + kRows - 1) / kRows), kThreads, kRows, 0};
  }

  /// The row of this group in a tile of kRows rows; it may lie past the last one, and then takes part in
  /// barriers only.
  static __device__ __forceinline__ std::int64_t row(Tile tile) {
    return static_cast<std::int64_t>(tile.index) * kRows + threadIdx.y;
  }
  static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x); }

  /// The sum over the group in each of its threads, in the order of sum().
  static __device__ __forceinline__ float sum_for_all(float value) {
    return for_all(lane_sum<kLanes>(value), [](float a, float b) { return a + b; });
  }
  /// The largest over the group in each of its threads; a NaN may or may not come through.
  static __device__ __forceinline__ float max_for_all(float value) {
    return for_all(lane_max<kLanes>(value), [](float a, float b) { return b > a ? b : a; });
  }

  /// The sum over the group, valid in lane 0: lanes of a warp by halves, then warps in order.
  static __device__ __forceinline__ float sum(float value) {
    value = lane_sum<kLanes>(value);
    if constexpr (kWarps > 1) {
      float* partial = shared_array<float, kWarps * kRows, 101>();
      float* mine = partial + threadIdx.y * kWarps;
      block_barrier();  // an earlier sum may still be read
      if (threadIdx.x % kWarpSize == 0) mine[threadIdx.x / kWarpSize] = value;
      block_barrier();
      if (threadIdx.x == 0) {
        value = mine[0];
        for (int w = 1; w < kWarps; ++w) value += mine[w];
      }
    }
    return value;
  }

 private:
  /// Combines what each warp has, which is the same in its lanes, in the order of warps.
  template <typename Combine>
  static __device__ __forceinline__ float for_all(float value, const Combine& combine) {
    if constexpr (kWarps > 1) {
      float* partial = shared_array<float, kWarps * kRows, 103>();
      float* mine = partial + threadIdx.y * kWarps;
      block_barrier();  // an earlier result may still be read
      if (threadIdx.x % kWarpSize == 0) mine[threadIdx.x / kWarpSize] = value;
      block_barrier();
      value = mine[0];
      for (int w = 1; w < kWarps; ++w) value = combine(value, mine[w]);
    }
    return value;
  }
};

/// The sum over a block of kThreads threads (threadIdx.y == 0), valid in thread 0, warps in order.
template <int kThreads>
__device__ __forceinline__ double block_sum(double value) {
  constexpr int kWarps = kThreads / kWarpSize;
  value = warp_sum(value);
  double* partial = shared_array<double, kWarps, 102>();
  block_barrier();  // an earlier sum may still be read
  if (threadIdx.x % kWarpSize == 0) partial[threadIdx.x / kWarpSize] = value;
  block_barrier();
  if (threadIdx.x == 0) {
    value = partial[0];
    for (int w = 1; w < kWarps; ++w) value += partial[w];
  }
  return value;
}

}  // namespace vaecuda::device
