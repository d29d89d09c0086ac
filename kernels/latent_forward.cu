#include "kernels/device/device.cuh"
#include "kernels/device/random.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/latent.hpp"
#include "kernels/math/gaussian.h"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kBlock = 128;

/// Equation: z (B·K,Z) = mu + e^(logvar/2)·ε; kl (B,1) = Σ over Z of ½(mu² + e^logvar − 1 − logvar);
///   log_ratio (B·K,1) = Σ over Z of ½(z² − ε² − logvar), where wanted; head (B,2Z) = [mu | scale], logvar =
///   clamp(logvar_factor · scale). Row b·K + k of z is sample k of row b. Without noise ε = 0.
/// Threads: kThreads a sample (8, 32, 64 or 256, a quad of columns each where it has not more), samples to a
///   block of 128 threads or, with 256, one. Those of a row's first sample write its KL.
/// Bytes: a sample: 8·Z read; written 4·Z in fp32, 2·Z in bfloat16, and 4 of log_ratio. 4 a row of KL. ε
///   stays in registers.
/// Alignment: any; quads are moved by load_quad and store_quad. scale lies Z floats behind mu.
/// Determinism: ε depends on seed, position and column alone. Sums per thread in the order of columns, then
///   over lanes by halves, then over warps in order. The order depends on Z alone.
/// Faults: a row whose KL is not finite raises *fault.
template <bool kSample, int kThreads>
__device__ __forceinline__ void latent_forward_tile(const LatentForwardArgs& args, device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t sample = Group::row(tile);  // b·K + k
  const std::int64_t row = args.samples == 1 ? sample : sample / args.samples;
  const bool inside = row < args.batch;
  float kl = 0.0f;
  float log_ratio = 0.0f;
  if (inside) {
    const auto draw = static_cast<std::uint64_t>(args.state->position * args.samples + sample);
    const float* head = args.head.data + row * args.head.stride;
    for (std::int64_t c = 4 * Group::lane(); c < args.latent_dim; c += 4 * kThreads) {
      const Quad mu = device::load_quad(head, c, args.latent_dim);
      const Quad scale = device::load_quad(head + args.latent_dim, c, args.latent_dim);
      Quad epsilon{{0.0f, 0.0f, 0.0f, 0.0f}};
      if constexpr (kSample) epsilon = device::normal_quad(args.seed, args.purpose, draw, c);
      Quad z;
      for (int i = 0; i < 4; ++i) {
        const math::LatentValue<float> value =
            math::latent_forward(mu.v[i], scale.v[i], epsilon.v[i], args.logvar_factor);
        z.v[i] = value.z;
        if (c + i < args.latent_dim) {
          kl += value.kl;
          log_ratio += value.log_ratio;
        }
      }
      device::store_quad(args.z, sample, c, args.latent_dim, z);
    }
  }
  kl = Group::sum(kl);
  if (args.log_ratio != nullptr) {
    log_ratio = Group::sum(log_ratio);
    if (inside && Group::lane() == 0) args.log_ratio[sample * args.log_ratio_stride] = log_ratio;
  }
  if (inside && Group::lane() == 0 && sample == row * args.samples) {
    if (args.kl != nullptr) args.kl[row * args.kl_stride] = kl;
    if (args.fault != nullptr && math::is_nonfinite(kl)) device::raise_flag(args.fault);
  }
}

template <bool kSample, int kThreads>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads)
    latent_forward_kernel(const LatentForwardArgs args) {
  latent_forward_tile<kSample, kThreads>(args, device::this_tile());
}

}  // namespace

void launch(const LatentForwardArgs& args, Stream stream) {
  device::with_threads_per_row<1>(args.latent_dim, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    const device::LaunchShape shape = device::RowBlock<kThreads, kBlock>::shape(args.batch * args.samples);
    if (args.sample) {
      device::launch("latent_forward", latent_forward_kernel<true, kThreads>, shape, stream, args);
    } else {
      device::launch("latent_forward", latent_forward_kernel<false, kThreads>, shape, stream, args);
    }
  });
}

}  // namespace vaecuda::kernels
