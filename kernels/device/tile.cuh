// A kernel is two functions: a tile function, which does one part of the work with the threads of one block,
// and a __global__ function of one statement, which gives it the part of its own block. So a kernel that runs
// several parts or several kernels' parts from a loop of its own can call the same tile functions.
#pragma once

#include "kernels/device/device.cuh"

namespace vaecuda::device {

/// Part `index` of the `count` parts of a kernel's work. A tile function is called by all threads of a block
/// together, the block shaped as the kernel's launcher shapes it. Its shared memory may still be read by some
/// threads when others have returned: a block that goes on to another tile calls block_barrier() first.
struct Tile {
  unsigned index;
  unsigned count;
};

/// The tile of this block where each block of the grid has one. For __global__ functions alone.
__device__ __forceinline__ Tile this_tile() {
  return Tile{blockIdx.x, gridDim.x};
}

}  // namespace vaecuda::device
