// What the norm and the update have in common: how they walk the flat parameter arena, and how the tile that
// ends last takes the sums of all.
#pragma once

#include <cstdint>

#include "kernels/device/device.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/tile.cuh"
#include "kernels/update.hpp"

namespace vaecuda::kernels {

inline constexpr int kArenaThreads = 256;

/// Blocks of kArenaThreads that a multiprocessor must hold at once: 64 registers a thread at the most. The 64
/// KiB that their loads have under way are more than full bandwidth asks of a multiprocessor.
inline constexpr int kArenaBlocksResident = 4;

/// Blocks that walk the arena at the most: with the one more that the update has, all are resident at once on
/// an H200's 132 multiprocessors.
inline constexpr int kArenaBlocks = kArenaBlocksResident * 132 - 1;
static_assert(kArenaBlocks < kMaxUpdateBlocks);

/// Tiles of an arena of `elements`, and so the partial sums that they leave. The same for the norm
/// and the update, and a function of P alone, as the order of the sum must be.
inline unsigned arena_blocks(std::int64_t elements) {
  constexpr std::int64_t kBlockElements = 4 * kArenaThreads;
  const std::int64_t needed = (elements + kBlockElements - 1) / kBlockElements;
  return static_cast<unsigned>(needed < kArenaBlocks ? needed : kArenaBlocks);
}

/// Leaves a tile's sum where the last tile will find it. All threads of the block must call it together.
__device__ __forceinline__ void leave_squares(double squares, double* partial) {
  squares = device::block_sum<kArenaThreads>(squares);
  if (threadIdx.x == 0) *partial = squares;
}

/// Lowers the arena's lowest bad element to that of a thread.
__device__ __forceinline__ void leave_bad_element(std::int64_t element, UpdateScratch* scratch) {
  if (element != kNoBadElement) device::atomic_min(&scratch->bad_element, element);
}

/// True in the tile that comes here last of all; it sees what the others have written. All threads of the
/// block must call it together.
__device__ __forceinline__ bool is_last_tile(device::Tile tile, std::uint32_t* ticket) {
  bool* last = device::shared_array<bool, 1>();
  device::block_barrier();
  if (threadIdx.x == 0) *last = device::take_ticket(ticket) + 1 == tile.count;
  device::block_barrier();
  return *last;
}

/// Σ of other tiles' partial sums, valid in thread 0: per thread in order, then as device::block_sum. All
/// threads of the block must call it together.
__device__ __forceinline__ double sum_of_partials(const double* partial, unsigned count) {
  double sum = 0.0;
  for (unsigned i = threadIdx.x; i < count; i += kArenaThreads) sum += device::load_fresh(partial + i);
  return device::block_sum<kArenaThreads>(sum);
}

__device__ __forceinline__ bool is_finite(double value) {
  return value - value == 0.0;
}

/// Stops the run: every later launch that would change state finds this. For the last tile alone, since the
/// others may still have to read the flag until they have taken their tickets.
__device__ __forceinline__ void raise_fault(math::StepState* state, std::int64_t bad_element) {
  state->fault_element = bad_element == kNoBadElement ? -1 : bad_element;
  state->fault = 1;
}

}  // namespace vaecuda::kernels
