// What the planted kernels' files have in common: where a thread is, and the table of kernels by name.
#pragma once

#include <string>

#include "executor/planted_kernels.hpp"
#include "kernels/device/device.cuh"

namespace vaecuda::test {

__device__ __forceinline__ int thread_of_block() {
  return static_cast<int>(threadIdx.y * 32 + threadIdx.x);
}

__device__ __forceinline__ int thread_of_grid() {
  return static_cast<int>(blockIdx.x) * kPlantedThreads + thread_of_block();
}

__device__ __forceinline__ bool is_thread(unsigned block, unsigned x, unsigned y) {
  return blockIdx.x == block && threadIdx.x == x && threadIdx.y == y;
}

enum class LaunchKind { plain, cooperative, clusters };

struct Planted {
  const char* name;
  void (*kernel)(PlantArgs);
  LaunchKind kind = LaunchKind::plain;
  device::LaunchShape shape = {2, 32, 2, 0};
};

template <int kCount>
bool launch_by_name(const Planted (&table)[kCount], const std::string& name, const PlantArgs& args,
                    kernels::Stream stream) {
  for (const Planted& entry : table) {
    if (entry.name != name) continue;
    switch (entry.kind) {
      case LaunchKind::plain:
        device::launch(entry.name, entry.kernel, entry.shape, stream, args);
        break;
      case LaunchKind::cooperative:
        device::launch_cooperative(entry.name, entry.kernel, entry.shape, stream, args);
        break;
      case LaunchKind::clusters:
        device::launch_clusters(entry.name, entry.kernel, entry.shape, entry.shape.blocks, stream, args);
        break;
    }
    return true;
  }
  return false;
}

}  // namespace vaecuda::test
