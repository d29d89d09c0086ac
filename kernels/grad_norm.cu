#include "kernels/arena.cuh"
#include "kernels/device/device.cuh"
#include "kernels/device/tile.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/update.hpp"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kQuadsInFlight = 4;  // loads that a thread has under way before it squares the first

/// NaN or infinite, in thread 0, where a row of a term is. All threads of the block must call it together.
__device__ __forceinline__ double loss_sum(const LossColumns& loss) {
  double sum = 0.0;
  for (int i = 0; i < loss.terms.count; ++i) {
    const LossColumn column = loss.column[i];
    for (std::int64_t row = threadIdx.x; row < column.rows; row += kArenaThreads)
      sum += static_cast<double>(column.data[row * column.stride]);
  }
  return device::block_sum<kArenaThreads>(sum);
}

/// Equation: norm = √Σ gradient² over the arena (P); scratch->gradient_scale = clip_norm / norm where that is
///   below 1, else 1; scratch->norm_partial = the tiles' sums, for the update.
/// Threads: arena_blocks() tiles; a tile is every count-th piece of 1024 elements, from its index on. Blocks
///   of 256, one quad of elements a thread at a time, four in flight. The tile that ends last adds the tiles'
///   sums and looks at the loss.
/// Bytes: 4·P read, 4 a row of each term; 8 a tile written and read again.
/// Alignment: any; the gradient is read by load_quad.
/// Determinism: sums in double: per thread in the order of elements, over lanes by halves, over warps in
///   order; tiles as sum_of_partials. The order depends on P alone.
/// Faults: a gradient that is not finite raises state->fault with the lowest such element; without one a row
///   of a term of the loss does, where terms are given. Nothing is done where state->fault is set.
__device__ __forceinline__ void grad_norm_tile(const GradNormArgs& args, device::Tile tile) {
  UpdateScratch* scratch = args.scratch;
  if (args.state->fault != 0) return;
  double squares = 0.0;
  std::int64_t bad_element = kNoBadElement;
  const std::int64_t step = 4 * static_cast<std::int64_t>(kArenaThreads) * tile.count;
  std::int64_t first = 4 * (static_cast<std::int64_t>(kArenaThreads) * tile.index + threadIdx.x);
  for (; first < args.elements; first += kQuadsInFlight * step) {
    Quad g[kQuadsInFlight];
    for (int q = 0; q < kQuadsInFlight; ++q) {
      g[q] = device::load_quad(args.gradient, first + q * step, args.elements);
    }
    for (int q = 0; q < kQuadsInFlight; ++q) {
      if (first + q * step >= args.elements) break;  // zeros would take the time of others
      for (int i = 0; i < 4; ++i) {
        const auto value = static_cast<double>(g[q].v[i]);
        squares += value * value;
        if (math::is_nonfinite(g[q].v[i]) && bad_element == kNoBadElement) {
          bad_element = first + q * step + i;  // the first that a thread meets is its lowest
        }
      }
    }
  }
  leave_bad_element(bad_element, scratch);
  leave_squares(squares, scratch->norm_partial + tile.index);
  if (!is_last_tile(tile, &scratch->norm_ticket)) return;

  squares = sum_of_partials(scratch->norm_partial, tile.count);
  const double loss = args.loss.terms.count > 0 ? loss_sum(args.loss) : 0.0;
  if (threadIdx.x != 0) return;
  const std::int64_t lowest = device::load_fresh(&scratch->bad_element);
  const double norm = ::sqrt(squares);
  const auto clip_norm = static_cast<double>(args.clip_norm);
  scratch->gradient_scale = norm > clip_norm ? static_cast<float>(clip_norm / norm) : 1.0f;
  if (lowest != kNoBadElement || !is_finite(norm) || !is_finite(loss)) raise_fault(args.state, lowest);
  scratch->bad_element = kNoBadElement;
  scratch->norm_ticket = 0;
}

__global__ void __launch_bounds__(kArenaThreads, kArenaBlocksResident)
    grad_norm_kernel(const GradNormArgs args) {
  grad_norm_tile(args, device::this_tile());
}

}  // namespace

void launch(const GradNormArgs& args, Stream stream) {
  device::LaunchShape shape;
  shape.blocks = arena_blocks(args.elements);
  shape.threads_x = kArenaThreads;
  device::launch("grad_norm", grad_norm_kernel, shape, stream, args);
}

}  // namespace vaecuda::kernels
