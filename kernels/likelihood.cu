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

/// nll (B·K,1) = Σ over D of −log p(x (B,D) | output + bias), nats; output (B·K,D), or (B·K,2D) = [means |
/// raw log σ] for σ from the head; row b·K + k of it is sample k of row b; bias (D) or (2D), where given.
/// gradient, like the output, = gradient_scale · d nll / d output, where wanted; for a learned σ
/// sigma_gradient (B·K,1) = gradient_scale · d nll / d log σ. A row whose NLL is not finite raises *fault.
/// Threads: kThreads a row (8, 32, 64 or 256, one quad of columns each where the row has not more), rows to a
/// block of 128 threads or, with 256, one row. Bytes: 8·D read a row, 4·D written (2·D in bfloat16), 4 for
/// the NLL; σ from the head: 12·D and 8·D; learned: 4 more written; a bias 4·D (8·D) once, then out of the
/// cache. Alignment: any, 16 bytes at a time where an address allows; the raw log σ lie D floats behind the
/// means and are moved one by one where that is no multiple of 4. The fp32 gradient may be
/// `output` itself: a thread reads its quads before it writes there. Determinism: a row's sums are taken per
/// thread in the order of columns, then over lanes by halves, then over warps in order: the order depends on
/// D alone. `=`.
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

/// mean (B,D) = E[x | output (B,D)].
/// Threads: one quad of columns each (device::element_shape). Bytes an element: 4 read, 4 written (2 in
/// bfloat16). Alignment: any. The fp32 mean may be `output` itself. Determinism: elementwise. `=`.
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
  math::with_likelihood(args.likelihood.kind, [&](auto likelihood) {
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
  math::with_likelihood(args.likelihood.kind, [&](auto likelihood) {
    device::launch("observation_mean_forward", observation_mean_forward_kernel<decltype(likelihood)>,
                   device::element_shape(args.batch, args.columns), stream, args, likelihood);
  });
}

}  // namespace vaecuda::kernels
