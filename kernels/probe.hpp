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
void launch(const CopyProbeArgs& args, Stream stream);

struct EmptyProbeArgs {
  /// Started while the kernel before is still running, for whose end it waits (programmatic dependent
  /// launch). Needs sm_90.
  bool overlapped = false;
};

/// Nothing at all.
void launch(const EmptyProbeArgs& args, Stream stream);

enum class BarrierKind : int {
  grid,     ///< of the grid, by cooperative groups
  by_hand,  ///< of the grid, by an atomic counter
  cluster,  ///< of the block's cluster; needs sm_90
};

struct BarrierProbeArgs {
  BarrierKind kind = BarrierKind::grid;
  unsigned blocks = 1;   ///< all on the device at once
  unsigned cluster = 1;  ///< blocks of a cluster, of which `blocks` is a multiple; cluster alone
  int barriers = 1;
  std::int32_t* passed = nullptr;    ///< (blocks)
  std::uint32_t* counter = nullptr;  ///< (1), 0 before; by_hand alone
};

/// passed[block] = barriers, having passed so many barriers.
void launch(const BarrierProbeArgs& args, Stream stream);

}  // namespace vaecuda::kernels
