// Kernels that measure the device itself: what it can move, and what starting and waiting cost on it.
#pragma once

#include <cstdint>

#include "kernels/stream.hpp"

namespace vaecuda::kernels {

struct CopyProbeArgs {
  const void* from = nullptr;  ///< (quads) of 16 bytes, on a 16-byte boundary
  void* to = nullptr;          ///< (quads) likewise
  std::int64_t quads = 0;
};

/// to = from.
void launch_copy_probe(const CopyProbeArgs& args, Stream stream);

/// Nothing at all.
void launch_empty_probe(Stream stream);
/// The same, started while the kernel before is still running, for whose end it waits (programmatic dependent
/// launch). Needs sm_90.
void launch_overlapped_probe(Stream stream);

struct BarrierProbeArgs {
  unsigned blocks = 1;  ///< all on the device at once
  int barriers = 1;
  std::int32_t* passed = nullptr;    ///< (blocks)
  std::uint32_t* counter = nullptr;  ///< (1), 0 before; by_hand alone
};

/// passed[block] = barriers, having passed so many barriers of the grid by cooperative groups.
void launch_grid_barrier_probe(const BarrierProbeArgs& args, Stream stream);
/// The same by an atomic counter.
void launch_hand_barrier_probe(const BarrierProbeArgs& args, Stream stream);
/// The same by barriers of clusters of `cluster` blocks, of which `blocks` is a multiple. Needs sm_90.
void launch_cluster_barrier_probe(const BarrierProbeArgs& args, unsigned cluster, Stream stream);

}  // namespace vaecuda::kernels
