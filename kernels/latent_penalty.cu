#include "kernels/device/device.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/latent.hpp"
#include "kernels/math/penalty.h"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kBlock = 128;

/// Equation: penalty (B,1) = 1/Z · Σ over Z of z (B,Z)²; where dz is given, dz_out (B,Z) = dz + w·2/Z·z with
///   w = loss_weight · gradient_scale.
/// Threads: kThreads a row (8, 32, 64 or 256, a quad of columns each where the row has not more), rows to a
///   block of 128 threads or, with 256, one row.
/// Bytes: a row: 8·Z read, 4·Z without dz; written 4 of the penalty, and of dz_out 4·Z in fp32, 2·Z in
///   bfloat16.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: a row's penalty is summed per thread in the order of columns, then over lanes by halves, then
///   over warps in order. The order depends on Z alone.
/// Aliases: dz_out may be dz: a thread reads its quad before it writes there.
/// Faults: a row whose penalty is not finite raises *fault.
template <int kThreads>
__device__ __forceinline__ void latent_penalty_tile(const LatentPenaltyArgs& args, device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  const bool inside = row < args.batch;
  const float inverse_dim = 1.0f / static_cast<float>(args.latent_dim);
  float penalty = 0.0f;
  if (inside) {
    const bool wants_gradient = args.dz.data != nullptr;
    const float weight = wants_gradient ? args.state->loss_weight * args.gradient_scale : 0.0f;
    const float* z_row = args.z.data + row * args.z.stride;
    for (std::int64_t c = 4 * Group::lane(); c < args.latent_dim; c += 4 * kThreads) {
      const Quad z = device::load_quad(z_row, c, args.latent_dim);
      Quad dz{{0.0f, 0.0f, 0.0f, 0.0f}};
      if (wants_gradient) dz = device::load_quad(args.dz.data + row * args.dz.stride, c, args.latent_dim);
      for (int i = 0; i < 4; ++i) {
        // Columns past the end were loaded as 0 and add nothing.
        const math::PenaltyValue<float> value = math::code_penalty(z.v[i], inverse_dim);
        penalty += value.penalty;
        dz.v[i] += weight * value.gradient;
      }
      device::store_quad(args.dz_out, row, c, args.latent_dim, dz);
    }
  }
  penalty = Group::sum(penalty);
  if (inside && Group::lane() == 0) {
    args.penalty[row * args.penalty_stride] = penalty;
    if (args.fault != nullptr && math::is_nonfinite(penalty)) device::raise_flag(args.fault);
  }
}

template <int kThreads>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads)
    latent_penalty_kernel(const LatentPenaltyArgs args) {
  latent_penalty_tile<kThreads>(args, device::this_tile());
}

}  // namespace

void launch(const LatentPenaltyArgs& args, Stream stream) {
  device::with_threads_per_row<1>(args.latent_dim, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("latent_penalty", latent_penalty_kernel<kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  });
}

}  // namespace vaecuda::kernels
