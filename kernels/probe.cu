#include "kernels/probe.hpp"

#include "kernels/device/device.cuh"
#include "kernels/device/tile.cuh"

namespace vaecuda::kernels {
namespace {

constexpr int kCopyThreads = 256;
constexpr int kCopyQuads = 4;  // of a thread, all under way before the first is stored
constexpr int kBarrierThreads = 256;

/// Equation: to (Q) = from (Q), quads of 16 bytes.
/// Threads: blocks of 256; a thread has 4 quads, 256 apart, all loaded before the first is stored.
/// Bytes: 16·Q read, 16·Q written.
/// Alignment: 16 bytes.
/// Determinism: a copy.
__device__ __forceinline__ void copy_probe_tile(const CopyProbeArgs& args, device::Tile tile) {
  const auto* from = static_cast<const float4*>(args.from);
  auto* to = static_cast<float4*>(args.to);
  const std::int64_t first =
      static_cast<std::int64_t>(tile.index) * (kCopyThreads * kCopyQuads) + threadIdx.x;
  float4 quads[kCopyQuads];
  for (int i = 0; i < kCopyQuads; ++i) {
    const std::int64_t q = first + i * kCopyThreads;
    if (q < args.quads) quads[i] = from[q];
  }
  for (int i = 0; i < kCopyQuads; ++i) {
    const std::int64_t q = first + i * kCopyThreads;
    if (q < args.quads) to[q] = quads[i];
  }
}

__global__ void __launch_bounds__(kCopyThreads) copy_probe_kernel(const CopyProbeArgs args) {
  copy_probe_tile(args, device::this_tile());
}

/// Equation: none; nothing is done.
/// Threads: a warp.
/// Bytes: none.
/// Alignment: no pointers.
/// Determinism: no results.
__global__ void empty_probe_kernel() {}

/// Equation: none; the next kernel may start, and the end of the one before is waited for.
/// Threads: a warp.
/// Bytes: none.
/// Alignment: no pointers.
/// Determinism: no results.
__device__ __forceinline__ void overlapped_probe_tile() {
  device::allow_next_kernel();
  device::wait_for_previous_kernel();
}

__global__ void overlapped_probe_kernel() {
  overlapped_probe_tile();
}

/// What a barrier probe leaves: that its block has come through.
__device__ __forceinline__ void leave_passed(const BarrierProbeArgs& args, device::Tile tile) {
  if (threadIdx.x == 0) args.passed[tile.index] = args.barriers;
}

/// Equation: passed (blocks) = barriers, behind so many barriers: those of cooperative groups.
/// Threads: blocks of 256, all of them resident.
/// Bytes: 4 a block written.
/// Alignment: that of an int.
/// Determinism: a function of its arguments.
__device__ __forceinline__ void grid_barrier_probe_tile(const BarrierProbeArgs& args, device::Tile tile) {
  for (int i = 0; i < args.barriers; ++i) device::grid_barrier();
  leave_passed(args, tile);
}

__global__ void __launch_bounds__(kBarrierThreads) grid_barrier_probe_kernel(const BarrierProbeArgs args) {
  grid_barrier_probe_tile(args, device::this_tile());
}

/// Equation: passed (blocks) = barriers, behind so many barriers: those of an atomic counter, 0 before.
/// Threads: blocks of 256, all of them resident.
/// Bytes: 4 a block written; 4 of the counter, in the cache that all blocks share.
/// Alignment: that of an int.
/// Determinism: a function of its arguments.
__device__ __forceinline__ void hand_barrier_probe_tile(const BarrierProbeArgs& args, device::Tile tile) {
  for (int i = 0; i < args.barriers; ++i) {
    device::grid_barrier_by_hand(args.counter, static_cast<std::uint32_t>(i), tile.count);
  }
  leave_passed(args, tile);
}

__global__ void __launch_bounds__(kBarrierThreads) hand_barrier_probe_kernel(const BarrierProbeArgs args) {
  hand_barrier_probe_tile(args, device::this_tile());
}

/// Equation: passed (blocks) = barriers, behind so many barriers: those of the block's cluster.
/// Threads: blocks of 256, clusters as launched.
/// Bytes: 4 a block written.
/// Alignment: that of an int.
/// Determinism: a function of its arguments.
__device__ __forceinline__ void cluster_barrier_probe_tile(const BarrierProbeArgs& args, device::Tile tile) {
  for (int i = 0; i < args.barriers; ++i) device::cluster_barrier();
  leave_passed(args, tile);
}

__global__ void __launch_bounds__(kBarrierThreads) cluster_barrier_probe_kernel(const BarrierProbeArgs args) {
  cluster_barrier_probe_tile(args, device::this_tile());
}

constexpr device::LaunchShape kOneWarp{1, device::kWarpSize, 1, 0};

}  // namespace

void launch(const CopyProbeArgs& args, Stream stream) {
  constexpr std::int64_t kBlockQuads = kCopyThreads * kCopyQuads;
  const auto blocks = static_cast<unsigned>((args.quads + kBlockQuads - 1) / kBlockQuads);
  device::launch("copy_probe", copy_probe_kernel, {blocks, kCopyThreads, 1, 0}, stream, args);
}

void launch(const EmptyProbeArgs& args, Stream stream) {
  if (args.overlapped) {
    device::launch_overlapped("overlapped_probe", overlapped_probe_kernel, kOneWarp, stream);
  } else {
    device::launch("empty_probe", empty_probe_kernel, kOneWarp, stream);
  }
}

void launch(const BarrierProbeArgs& args, Stream stream) {
  const device::LaunchShape shape{args.blocks, kBarrierThreads, 1, 0};
  switch (args.kind) {
    case BarrierKind::grid:
      return device::launch_cooperative("grid_barrier_probe", grid_barrier_probe_kernel, shape, stream, args);
    case BarrierKind::by_hand:
      return device::launch_cooperative("hand_barrier_probe", hand_barrier_probe_kernel, shape, stream, args);
    case BarrierKind::cluster:
      return device::launch_clusters("cluster_barrier_probe", cluster_barrier_probe_kernel, shape,
                                     args.cluster, stream, args);
  }
}

}  // namespace vaecuda::kernels
