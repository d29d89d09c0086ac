#include "kernels/arena.cuh"
#include "kernels/device/device.cuh"
#include "kernels/device/tile.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/latent.hpp"
#include "kernels/math/gaussian.h"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kStripQuads = 4;
constexpr int kStripColumns = 4 * kStripQuads;
constexpr int kRowLanes = kArenaThreads / kStripQuads;

/// Equation: kl (Z) = mean over B of the KL of each latent, from head (B,2Z) = [mu | scale]; slope (Z) and
///   term (1) = math::KlTerm of it: free bits of each latent, or the capacity of their sum (state->capacity).
/// Threads: a tile is a strip of 16 latents. Blocks of 256: 4 quads of columns by 64 rows at a time. The tile
///   that ends last adds the strips and writes slopes and term.
/// Bytes: 8·B·Z read, 8·Z + 4 written, 4·Z read again; 4096 of shared memory.
/// Alignment: any; the head is read by load_quad, all else element by element. scale lies Z floats behind mu.
/// Determinism: a latent's KL is summed per thread over rows lane, lane + 64, … in order, then over the 64
///   lanes in order, in double: the order depends on B alone. The term is summed per thread over latents in
///   order, then as device::block_sum: on Z alone.
__device__ __forceinline__ void latent_kl_tile(const LatentKlArgs& args, device::Tile tile) {
  const int quad = static_cast<int>(threadIdx.x) % kStripQuads;
  const int lane = static_cast<int>(threadIdx.x) / kStripQuads;
  const std::int64_t c = static_cast<std::int64_t>(tile.index) * kStripColumns + 4 * quad;
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (std::int64_t row = lane; row < args.batch; row += kRowLanes) {
    const float* head = args.head.data + row * args.head.stride;
    const Quad mu = device::load_quad(head, c, args.latent_dim);
    const Quad scale = device::load_quad(head + args.latent_dim, c, args.latent_dim);
    for (int i = 0; i < 4; ++i) {
      sum[i] += math::latent_kl(math::latent_posterior(mu.v[i], scale.v[i], args.logvar_factor));
    }
  }
  float* partial = device::shared_array<float, kRowLanes * kStripColumns>();
  for (int i = 0; i < 4; ++i) partial[lane * kStripColumns + 4 * quad + i] = sum[i];
  device::block_barrier();
  const auto column = static_cast<std::int64_t>(tile.index) * kStripColumns + threadIdx.x;
  if (threadIdx.x < kStripColumns && column < args.latent_dim) {
    double total = 0.0;
    for (int l = 0; l < kRowLanes; ++l) {
      total += static_cast<double>(partial[l * kStripColumns + static_cast<int>(threadIdx.x)]);
    }
    args.kl[column] = static_cast<float>(total / static_cast<double>(args.batch));
  }
  if (!is_last_tile(tile, &args.scratch->kl_ticket)) return;

  const bool capacity = args.kind == math::KlTermKind::capacity;
  double total = 0.0;
  for (std::int64_t j = threadIdx.x; j < args.latent_dim; j += kArenaThreads) {
    const float kl = device::load_fresh(args.kl + j);
    const math::KlTerm<float> bounded = math::free_bits_term(kl, args.free_bits);
    total += static_cast<double>(capacity ? kl : bounded.value);
    if (!capacity) args.slope[j] = bounded.slope;
  }
  total = device::block_sum<kArenaThreads>(total);
  float* common_slope = device::shared_array<float, 1>();
  if (threadIdx.x == 0) {
    const auto limit = static_cast<double>(args.state->capacity);
    const math::KlTerm<double> value =
        capacity ? math::capacity_term(total, limit) : math::KlTerm<double>{total, 1.0};
    *args.term = static_cast<float>(value.value);
    *common_slope = static_cast<float>(value.slope);
    args.scratch->kl_ticket = 0;
  }
  if (!capacity) return;
  device::block_barrier();
  for (std::int64_t j = threadIdx.x; j < args.latent_dim; j += kArenaThreads) args.slope[j] = *common_slope;
}

__global__ void __launch_bounds__(kArenaThreads) latent_kl_kernel(const LatentKlArgs args) {
  latent_kl_tile(args, device::this_tile());
}

}  // namespace

void launch(const LatentKlArgs& args, Stream stream) {
  device::LaunchShape shape;
  shape.blocks = static_cast<unsigned>((args.latent_dim + kStripColumns - 1) / kStripColumns);
  shape.threads_x = kArenaThreads;
  device::launch("latent_kl", latent_kl_kernel, shape, stream, args);
}

}  // namespace vaecuda::kernels
