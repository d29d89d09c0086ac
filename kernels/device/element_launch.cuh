// How an elementwise kernel over a matrix is laid over threads: one quad of columns each, row after row, so
// that no lane idles whatever the row's length, and a few long rows still fill the device.
#pragma once

#include <cstdint>

#include "kernels/device/tile.cuh"

namespace vaecuda::device {

inline constexpr int kElementThreads = 256;

/// A thread for each quad of each row.
inline LaunchShape element_shape(std::int64_t rows, std::int64_t columns) {
  const std::int64_t quads = rows * ((columns + 3) / 4);
  return LaunchShape{static_cast<unsigned>((quads + kElementThreads - 1) / kElementThreads), kElementThreads,
                     1, 0};
}

/// The first element of a thread's quad. In the last block it may lie past the last row.
struct ElementPlace {
  std::int64_t row;
  std::int64_t column;
};

/// This thread's place in a tile of a launch of element_shape(…, columns).
__device__ __forceinline__ ElementPlace element_place(Tile tile, std::int64_t columns) {
  // Unsigned, since then numbers below 2³² are divided as such, in a fraction of the time.
  const std::uint64_t quads_per_row = static_cast<std::uint64_t>(columns + 3) / 4;
  const std::uint64_t quad = static_cast<std::uint64_t>(tile.index) * kElementThreads + threadIdx.x;
  const std::uint64_t row = quad / quads_per_row;
  return ElementPlace{static_cast<std::int64_t>(row),
                      static_cast<std::int64_t>(4 * (quad - row * quads_per_row))};
}

}  // namespace vaecuda::device
