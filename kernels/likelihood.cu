#include "kernels/likelihood.hpp"

#include "kernels/device/device.cuh"
#include "kernels/device/element_launch.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"

namespace vaecuda::kernels {
namespace {

using device::Quad;
using math::SigmaSource;

constexpr int kBlock = 128;

/// Columns c … c+3 of a row, plus those of the bias where there is one.
__device__ __forceinline__ Quad load_biased(const float* row, const float* bias, std::int64_t c,
                                            std::int64_t columns) {
  Quad quad = device::load_quad(row, c, columns);
  if (bias != nullptr) {
    const Quad more = device::load_quad(bias, c, columns);
    for (int i = 0; i < 4; ++i) quad.v[i] += more.v[i];
  }
  return quad;
}

/// Equation: nll (B·K,1) = Σ over D of −log p(x (B,D) | output + bias), nats; output (B·K,D), or (B·K,2D) =
///   [means | raw log σ] for σ from the head; row b·K + k of it is sample k of row b; bias (D) or (2D), where
///   given. gradient, shaped as the output, = gradient_scale · d nll / d output, where wanted; for a learned
///   σ sigma_gradient (B·K,1) = gradient_scale · d nll / d log σ, where wanted.
/// Threads: kThreads a row (8, 32, 64 or 256, a quad of columns each where the row has not more), rows to a
///   block of 128 threads or, with 256, one row.
/// Bytes: a row: 8·D read, 12·D with σ from the head; 4 written of the NLL, and of the gradient 4·D in fp32,
///   2·D in bfloat16, twice that with σ from the head, and 4 of sigma_gradient. A bias, as wide as the
///   output, and the x of a row's further samples out of the cache.
/// Alignment: any; quads are moved by load_quad and store_quad. The raw log σ lie D elements behind the
///   means.
/// Determinism: a row's sums are taken per thread in the order of columns, then over lanes by halves, then
///   over warps in order. The order depends on D alone.
/// Aliases: gradient.data may be `output`: a thread reads its quads before it writes there.
/// Faults: a row whose NLL is not finite raises *fault.
template <int kThreads, SigmaSource kSource, typename Likelihood>
__device__ __forceinline__ void likelihood_forward_backward_tile(const LikelihoodArgs& args,
                                                                 const Likelihood& likelihood,
                                                                 device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  const std::int64_t source = args.samples == 1 ? row : row / args.samples;
  const bool inside = source < args.batch;
  float nll = 0.0f;
  float sigma_gradient = 0.0f;
  if (inside) {
    const float* output = args.output.data + row * args.output.stride;
    const float* x = args.x.data + source * args.x.stride;
    math::Deviation<float> sigma{args.likelihood.log_sigma, args.likelihood.inverse_sigma, 1.0f};
    if constexpr (kSource == SigmaSource::learned) sigma = math::learned_deviation(*args.log_sigma);
    for (std::int64_t c = 4 * Group::lane(); c < args.columns; c += 4 * kThreads) {
      const Quad o = load_biased(output, args.bias, c, args.columns);
      const Quad target = device::load_quad(x, c, args.columns);
      Quad raw{{0.0f, 0.0f, 0.0f, 0.0f}};
      if constexpr (kSource == SigmaSource::head) {
        const float* raw_bias = args.bias != nullptr ? args.bias + args.columns : nullptr;
        raw = load_biased(output + args.columns, raw_bias, c, args.columns);
      }
      Quad gradient;
      for (int i = 0; i < 4; ++i) {
        if constexpr (kSource == SigmaSource::head) sigma = math::head_deviation(raw.v[i]);
        const math::NllValue<float> value = likelihood(o.v[i], target.v[i], sigma);
        gradient.v[i] = args.gradient_scale * value.gradient;
        raw.v[i] = args.gradient_scale * value.sigma_gradient * sigma.slope;
        if (c + i < args.columns) {
          nll += value.nll;
          sigma_gradient += value.sigma_gradient;
        }
      }
      device::store_quad(args.gradient, row, c, args.columns, gradient);
      if constexpr (kSource == SigmaSource::head) {
        device::store_quad(device::columns_from(args.gradient, args.columns), row, c, args.columns, raw);
      }
    }
  }
  nll = Group::sum(nll);
  if constexpr (kSource == SigmaSource::learned) sigma_gradient = Group::sum(sigma_gradient);
  if (inside && Group::lane() == 0) {
    args.nll[row * args.nll_stride] = nll;
    if (kSource == SigmaSource::learned && args.sigma_gradient != nullptr) {
      args.sigma_gradient[row * args.sigma_gradient_stride] = args.gradient_scale * sigma_gradient;
    }
    if (args.fault != nullptr && math::is_nonfinite(nll)) device::raise_flag(args.fault);
  }
}

template <int kThreads, SigmaSource kSource, typename Likelihood>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads)
    likelihood_forward_backward_kernel(const LikelihoodArgs args, const Likelihood likelihood) {
  likelihood_forward_backward_tile<kThreads, kSource>(args, likelihood, device::this_tile());
}

/// Equation: mean (B,D) = E[x | output (B,D)].
/// Threads: one quad of columns each, blocks of 256 (device::element_shape).
/// Bytes: an element: 4 read; written 4 in fp32, 2 in bfloat16.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: elementwise.
/// Aliases: mean.data may be `output`: a thread reads its quad before it writes there.
template <typename Likelihood>
__device__ __forceinline__ void observation_mean_forward_tile(const ObservationMeanArgs& args,
                                                              const Likelihood& likelihood,
                                                              device::Tile tile) {
  const device::ElementPlace at = device::element_place(tile, args.columns);
  if (at.row >= args.batch) return;
  Quad mean = device::load_quad(args.output.data + at.row * args.output.stride, at.column, args.columns);
  for (int i = 0; i < 4; ++i) mean.v[i] = likelihood.mean(mean.v[i]);
  device::store_quad(args.mean, at.row, at.column, args.columns, mean);
}

template <typename Likelihood>
__global__ void __launch_bounds__(device::kElementThreads)
    observation_mean_forward_kernel(const ObservationMeanArgs args, const Likelihood likelihood) {
  observation_mean_forward_tile(args, likelihood, device::this_tile());
}

}  // namespace

void launch(const LikelihoodArgs& args, Stream stream) {
  math::with_element_likelihood(args.likelihood.kind, [&](auto likelihood) {
    math::with_sigma_source(likelihood, args.likelihood.source, [&](auto source) {
      device::with_threads_per_row<1>(args.columns, [&](auto threads) {
        constexpr int kThreads = decltype(threads)::value;
        device::launch(
            "likelihood_forward_backward",
            likelihood_forward_backward_kernel<kThreads, decltype(source)::value, decltype(likelihood)>,
            device::RowBlock<kThreads, kBlock>::shape(args.batch * args.samples), stream, args, likelihood);
      });
    });
  });
}

void launch(const ObservationMeanArgs& args, Stream stream) {
  math::with_element_likelihood(args.likelihood.kind, [&](auto likelihood) {
    device::launch("observation_mean_forward", observation_mean_forward_kernel<decltype(likelihood)>,
                   device::element_shape(args.batch, args.columns), stream, args, likelihood);
  });
}

}  // namespace vaecuda::kernels
