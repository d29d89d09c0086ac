#include "kernels/device/device.cuh"
#include "kernels/device/random.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/latent.hpp"
#include "kernels/math/gaussian.h"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kBlock = 128;

/// Equation: dhead (B,2Z) = [dmu | logvar_factor · dlogvar], with w = loss_weight · gradient_scale and sums
///   over a row's K samples: dmu = Σ dz + w·mu; dlogvar = Σ dz·½·e^(logvar/2)·ε (0 outside the clamp) +
///   w·½·(e^logvar − 1). With kl_slope (Z) w is that of each latent. With weights (B·K,1) the gradient of
///   each sample's log-ratio, times weight · gradient_scale, takes the place of w's terms: z for dmu,
///   ½(z·e^(logvar/2)·ε − 1) for dlogvar.
/// Threads: kThreads a row (8, 32, 64 or 256, a quad of columns each where the row has not more), rows to a
///   block of 128 threads or, with 256, one row.
/// Bytes: a row: 8·Z + 4·Z·K read, 4·K of weights, 4·Z of kl_slope out of the cache; written 8·Z in fp32, 4·Z
///   in bfloat16. ε is drawn again, since 4·Z·K written and read would cost more.
/// Alignment: any; quads are moved by load_quad and store_quad. The right half lies Z elements behind the
///   left.
/// Determinism: a thread adds the samples in order; ε has the bits of the forward pass.
/// Aliases: dhead may be the head: a thread writes the columns that it has read.
template <int kThreads>
__device__ __forceinline__ void latent_backward_tile(const LatentBackwardArgs& args, device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  if (row >= args.batch) return;
  const auto draw = static_cast<std::uint64_t>((args.state->position + row) * args.samples);
  const bool weighted = args.weights.data != nullptr;
  const float kl_weight = weighted ? 0.0f : args.state->loss_weight * args.gradient_scale;
  const float* weights = weighted ? args.weights.data + row * args.samples * args.weights.stride : nullptr;
  const float* head = args.head.data + row * args.head.stride;
  const float* dz_rows = args.dz.data + row * args.samples * args.dz.stride;
  const OutMatrix dscale_out = device::columns_from(args.dhead, args.latent_dim);
  for (std::int64_t c = 4 * Group::lane(); c < args.latent_dim; c += 4 * kThreads) {
    const Quad mu = device::load_quad(head, c, args.latent_dim);
    const Quad scale = device::load_quad(head + args.latent_dim, c, args.latent_dim);
    math::LatentPosterior<float> q[4];
    math::LatentSum<float> sum[4];
    for (int i = 0; i < 4; ++i) q[i] = math::latent_posterior(mu.v[i], scale.v[i], args.logvar_factor);
    for (std::int64_t k = 0; k < args.samples; ++k) {
      const Quad dz = device::load_quad(dz_rows + k * args.dz.stride, c, args.latent_dim);
      const Quad epsilon =
          device::normal_quad(args.seed, args.purpose, draw + static_cast<std::uint64_t>(k), c);
      if (weighted) {
        const float weight = args.gradient_scale * weights[k * args.weights.stride];
        for (int i = 0; i < 4; ++i) {
          math::add_weighted_latent_sample(sum[i], q[i], epsilon.v[i], dz.v[i], weight);
        }
      } else {
        for (int i = 0; i < 4; ++i) math::add_latent_sample(sum[i], q[i], epsilon.v[i], dz.v[i]);
      }
    }
    Quad slope{{1.0f, 1.0f, 1.0f, 1.0f}};
    if (args.kl_slope != nullptr) slope = device::load_quad(args.kl_slope, c, args.latent_dim);
    Quad dmu;
    Quad dscale;
    for (int i = 0; i < 4; ++i) {
      const math::LatentGradient<float> value =
          math::latent_gradient(sum[i], q[i], kl_weight * slope.v[i], args.logvar_factor);
      dmu.v[i] = value.dmu;
      dscale.v[i] = value.dscale;
    }
    device::store_quad(args.dhead, row, c, args.latent_dim, dmu);
    device::store_quad(dscale_out, row, c, args.latent_dim, dscale);
  }
}

template <int kThreads>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads)
    latent_backward_kernel(const LatentBackwardArgs args) {
  latent_backward_tile<kThreads>(args, device::this_tile());
}

}  // namespace

void launch(const LatentBackwardArgs& args, Stream stream) {
  device::with_threads_per_row<1>(args.latent_dim, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("latent_backward", latent_backward_kernel<kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  });
}

}  // namespace vaecuda::kernels
