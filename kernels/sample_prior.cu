#include "kernels/device/device.cuh"
#include "kernels/device/random.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/latent.hpp"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kBlock = 128;

/// Equation: z (B,Z) = temperature · ε.
/// Threads: kThreads a row (8, 32, 64 or 256, a quad of columns each where the row has not more), rows to a
///   block of 128 threads or, with 256, one row.
/// Bytes: a row: nothing read; written 4·Z in fp32, 2·Z in bfloat16.
/// Alignment: any; quads are moved by store_quad.
/// Determinism: ε depends on seed, position and column alone.
template <int kThreads>
__device__ __forceinline__ void sample_prior_tile(const SamplePriorArgs& args, device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  if (row >= args.batch) return;
  const auto position = static_cast<std::uint64_t>(args.state->position + row);
  for (std::int64_t c = 4 * Group::lane(); c < args.latent_dim; c += 4 * kThreads) {
    Quad z = device::normal_quad(args.seed, args.purpose, position, c);
    for (int i = 0; i < 4; ++i) z.v[i] *= args.temperature;
    device::store_quad(args.z, row, c, args.latent_dim, z);
  }
}

template <int kThreads>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads)
    sample_prior_kernel(const SamplePriorArgs args) {
  sample_prior_tile<kThreads>(args, device::this_tile());
}

}  // namespace

void launch(const SamplePriorArgs& args, Stream stream) {
  device::with_threads_per_row<1>(args.latent_dim, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("sample_prior", sample_prior_kernel<kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  });
}

}  // namespace vaecuda::kernels
