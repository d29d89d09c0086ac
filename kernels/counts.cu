#include "kernels/counts.hpp"

#include "kernels/device/device.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/row_launch.cuh"

namespace vaecuda::kernels {
namespace {

constexpr int kBlock = 128;

/// A result in the forms that are wanted.
__device__ __forceinline__ void store(const OutMatrix& out, std::int64_t row, std::int64_t column,
                                      float value) {
  const std::int64_t at = row * out.stride + column;
  if (out.data != nullptr) out.data[at] = value;
  if (out.half != nullptr) out.half[at] = math::to_bfloat16(value);
}

/// Σ over D of a row's x, in each of its threads; 0 past the last row.
template <typename Group>
__device__ __forceinline__ float sum_of_row(const InMatrix& x, std::int64_t row, bool inside,
                                            std::int64_t columns) {
  float sum = 0.0f;
  if (inside) {
    for (std::int64_t c = Group::lane(); c < columns; c += Group::kThreadsPerRow)
      sum += x.data[row * x.stride + c];
  }
  return Group::sum_for_all(sum);
}

/// log Σ over D of e^output of a row, in each of its threads.
template <typename Group>
__device__ __forceinline__ double log_sum_exp(const float* output, bool inside, std::int64_t columns) {
  float most = -3.4028235e38f;
  if (inside) {
    for (std::int64_t c = Group::lane(); c < columns; c += Group::kThreadsPerRow) {
      const float o = output[c];
      most = o > most ? o : most;
    }
  }
  most = Group::max_for_all(most);
  float sum = 0.0f;
  if (inside) {
    for (std::int64_t c = Group::lane(); c < columns; c += Group::kThreadsPerRow)
      sum += math::exponential(output[c] - most);
  }
  sum = Group::sum_for_all(sum);
  return static_cast<double>(most) + ::log(static_cast<double>(sum));
}

/// What the entries of a row have in common, and what each depends on.
struct CountRow {
  const float* output;
  const float* dispersion;  ///< log θ: of the row, of the parameters, or null
  const float* zero_logit;  ///< or null
  std::int64_t step;        ///< from one column's log θ to the next
  double log_scale;         ///< of log μ
  float scale;
  bool is_share;  ///< μ = N·e^o / Σ e^o, else N·softplus(o)

  template <typename Mass>
  __device__ __forceinline__ math::CountValue<float> value(const Mass& mass, float x, std::int64_t c) const {
    const float o = output[c];
    const float theta = dispersion != nullptr ? math::clamped_dispersion(dispersion[c * step]) : 1.0f;
    const float zero = zero_logit != nullptr ? zero_logit[c] : 0.0f;
    if (x == 0.0f) {
      const float mean = is_share ? math::exponential(o + static_cast<float>(log_scale))
                                  : scale * math::softplus_rate(o).value;
      return mass.zero(math::CountEntry<float>{0.0f, mean, theta, zero});
    }
    const auto wide = static_cast<double>(o);
    const double log_mean = log_scale + (is_share ? wide : math::log_softplus(wide));
    const math::CountValue<double> v =
        mass.positive(static_cast<double>(x),
                      {log_mean, ::exp(log_mean), static_cast<double>(theta), static_cast<double>(zero)});
    return {static_cast<float>(v.nll), static_cast<float>(v.by_log_mean),
            static_cast<float>(v.by_log_dispersion), static_cast<float>(v.by_zero_logit)};
  }
};

/// Equation: nll (B·K,1) = Σ over D of −log p(x (B,D) | output (B·K,P·D)), nats, row b·K + k being sample
///   k of row b; gradient, shaped as the output, = gradient_scale · d nll / d output and
///   dispersion_gradient (B·K,1) or (B·K,D) = gradient_scale · d nll / d log θ, where wanted. A row with
///   the sum 0 whose rates are multiplied by it gives zeros.
/// Threads: kThreads a row (32 or 256), rows to a block of 128 threads or, with 256, one row. Up to five
///   walks over the row: its sum, its largest logit, their exponentials, the sum of the derivatives by
///   log μ, and the results.
/// Bytes: a row: x up to three times, rates up to four times, other planes twice, all but the first time
///   out of the cache; written 4 of the NLL, 4·P·D of the gradient in fp32 or 2·P·D in bfloat16, and 4 or
///   4·D of dispersion_gradient.
/// Alignment: any; neighbouring threads take neighbouring columns, an element each.
/// Determinism: a row's sums are taken per thread in the order of columns, then over lanes by halves,
///   then over warps in order. The order depends on D alone.
/// Faults: a row whose NLL is not finite raises *fault.
template <int kThreads, typename Mass>
__device__ __forceinline__ void count_likelihood_tile(const CountLikelihoodArgs& args, const Mass& mass,
                                                      device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  const std::int64_t source = row / args.samples;
  const bool inside = source < args.batch;
  const std::int64_t n = args.columns;
  const math::CountPlanes planes = math::count_planes(mass, args.likelihood.dispersion);
  const bool is_scalar = Mass::kHasDispersion && args.likelihood.dispersion == math::Dispersion::scalar;
  const bool is_entry = Mass::kHasDispersion && args.likelihood.dispersion == math::Dispersion::entry;
  const float* output = inside ? args.output.data + row * args.output.stride : nullptr;
  const float* x = inside ? args.x.data + source * args.x.stride : nullptr;
  const bool wants_gradient = args.gradient.data != nullptr || args.gradient.half != nullptr;

  float sum = 1.0f;
  if (args.likelihood.of_row_sum) sum = sum_of_row<Group>(args.x, source, inside, n);
  const bool is_share = args.likelihood.rate == math::Rate::softmax;
  double log_sum = 0.0;
  if (is_share) log_sum = log_sum_exp<Group>(output, inside, n);
  const bool has_counts = inside && sum != 0.0f;
  CountRow entries{.output = output,
                   .dispersion = Mass::kHasDispersion ? args.log_dispersion : nullptr,
                   .zero_logit = nullptr,
                   .step = is_scalar ? 0 : 1,
                   .log_scale = ::log(static_cast<double>(sum)) - log_sum,
                   .scale = sum,
                   .is_share = is_share};
  if (is_entry && inside) entries.dispersion = output + planes.dispersion * n;
  if (Mass::kHasZeroLogit && inside) entries.zero_logit = output + planes.zero_logit * n;

  float by_means = 0.0f;
  if (wants_gradient && is_share) {
    if (has_counts) {
      for (std::int64_t c = Group::lane(); c < n; c += kThreads)
        by_means += entries.value(mass, x[c], c).by_log_mean;
    }
    by_means = Group::sum_for_all(by_means);
  }
  float nll = 0.0f;
  float by_dispersion = 0.0f;
  if (inside) {
    for (std::int64_t c = Group::lane(); c < n; c += kThreads) {
      math::CountValue<float> value{0.0f, 0.0f, 0.0f, 0.0f};
      float slope = 0.0f;
      if (has_counts) {
        value = entries.value(mass, x[c], c);
        nll += value.nll;
        by_dispersion += value.by_log_dispersion;
        slope = is_share ? value.by_log_mean -
                               by_means * math::exponential(output[c] - static_cast<float>(log_sum))
                         : value.by_log_mean * math::softplus_rate(output[c]).slope;
      }
      if (!wants_gradient) continue;
      store(args.gradient, row, c, args.gradient_scale * slope);
      const float by_theta = args.gradient_scale * value.by_log_dispersion;
      if (is_entry) {
        store(args.gradient, row, planes.dispersion * n + c, by_theta);
      } else if (Mass::kHasDispersion && !is_scalar) {
        store(args.dispersion_gradient, row, c, by_theta);
      }
      if (Mass::kHasZeroLogit)
        store(args.gradient, row, planes.zero_logit * n + c, args.gradient_scale * value.by_zero_logit);
    }
  }
  nll = Group::sum(nll);
  if (is_scalar) by_dispersion = Group::sum(by_dispersion);
  if (!inside || Group::lane() != 0) return;
  if (Mass::kIsOfRow && has_counts)
    nll += static_cast<float>(math::multinomial_row(static_cast<double>(sum)));
  args.nll[row * args.nll_stride] = nll;
  if (is_scalar) store(args.dispersion_gradient, row, 0, args.gradient_scale * by_dispersion);
  if (args.fault != nullptr && math::is_nonfinite(nll)) device::raise_flag(args.fault);
}

template <int kThreads, typename Mass>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads, 1)
    count_likelihood_kernel(const CountLikelihoodArgs args, const Mass mass) {
  count_likelihood_tile<kThreads>(args, mass, device::this_tile());
}

/// Equation: mean (B,D) = E[x | output (B,P·D)], the rates multiplied by the sum of x (B,D) or, without
///   it, by a number.
/// Threads: kThreads a row (32 or 256), rows to a block of 128 threads or, with 256, one row.
/// Bytes: a row: 4·D read of x, up to 12·D of the rates, all but 4·D out of the cache, 4·D of zero
///   logits; written 4·D in fp32, 2·D in bfloat16.
/// Alignment: any; neighbouring threads take neighbouring columns, an element each.
/// Determinism: sums as in count_likelihood.
template <int kThreads, typename Mass>
__device__ __forceinline__ void count_mean_tile(const CountMeanArgs& args, const Mass& mass,
                                                device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  const bool inside = row < args.batch;
  const std::int64_t n = args.columns;
  const float* output = inside ? args.output.data + row * args.output.stride : nullptr;
  float scale = args.likelihood.of_row_sum ? args.sum : 1.0f;
  if (args.likelihood.of_row_sum && args.x.data != nullptr) scale = sum_of_row<Group>(args.x, row, inside, n);
  const bool is_share = args.likelihood.rate == math::Rate::softmax;
  double log_sum = 0.0;
  if (is_share) log_sum = log_sum_exp<Group>(output, inside, n);
  if (!inside) return;
  const math::CountPlanes planes = math::count_planes(mass, args.likelihood.dispersion);
  const auto shift = static_cast<float>(::log(static_cast<double>(scale)) - log_sum);
  for (std::int64_t c = Group::lane(); c < n; c += kThreads) {
    float mean = 0.0f;
    if (scale > 0.0f)
      mean = is_share ? math::exponential(output[c] + shift) : scale * math::softplus(output[c]);
    if (Mass::kHasZeroLogit) mean *= math::logistic(-output[planes.zero_logit * n + c]);
    store(args.mean, row, c, mean);
  }
}

template <int kThreads, typename Mass>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads)
    count_mean_kernel(const CountMeanArgs args, const Mass mass) {
  count_mean_tile<kThreads>(args, mass, device::this_tile());
}

/// Equation: out (B,D) = log(1 + x), x / ‖x‖ (0 for a row of zeros), or 1 where x > 0 and else 0, of x
///   (B,D) ≥ 0.
/// Threads: kThreads a row (32 or 256), rows to a block of 128 threads or, with 256, one row.
/// Bytes: an element: 4 read, with the norm once more out of the cache; written 4 in fp32, 2 in bfloat16.
/// Alignment: any; neighbouring threads take neighbouring columns, an element each.
/// Determinism: the norm's squares are summed per thread in the order of columns, then over lanes by
///   halves, then over warps in order.
template <int kThreads>
__device__ __forceinline__ void transform_input_tile(const TransformInputArgs& args, device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  const bool inside = row < args.batch;
  const float* x = inside ? args.x.data + row * args.x.stride : nullptr;
  float norm = 0.0f;
  if (args.kind == math::InputTransform::l2) {
    if (inside) {
      for (std::int64_t c = Group::lane(); c < args.columns; c += kThreads) norm += x[c] * x[c];
    }
    norm = math::inverse_norm(Group::sum_for_all(norm));
  }
  if (!inside) return;
  for (std::int64_t c = Group::lane(); c < args.columns; c += kThreads)
    store(args.out, row, c, math::transformed(args.kind, x[c], norm));
}

template <int kThreads>
__global__ void __launch_bounds__(device::RowBlock<kThreads, kBlock>::kBlockThreads)
    transform_input_kernel(const TransformInputArgs args) {
  transform_input_tile<kThreads>(args, device::this_tile());
}

/// Calls `use` with the threads that a row of `columns` gets: a warp, or for long rows a block.
template <typename Use>
void with_row_threads(std::int64_t columns, Use&& use) {
  constexpr std::int64_t kLongest = 512;
  if (columns <= kLongest) {
    use(std::integral_constant<int, 32>{});
  } else {
    use(std::integral_constant<int, 256>{});
  }
}

}  // namespace

void launch(const CountLikelihoodArgs& args, Stream stream) {
  math::with_count_likelihood(args.likelihood.kind, [&](auto mass) {
    with_row_threads(args.columns, [&](auto threads) {
      constexpr int kThreads = decltype(threads)::value;
      device::launch("count_likelihood", count_likelihood_kernel<kThreads, decltype(mass)>,
                     device::RowBlock<kThreads, kBlock>::shape(args.batch * args.samples), stream, args,
                     mass);
    });
  });
}

void launch(const CountMeanArgs& args, Stream stream) {
  math::with_count_likelihood(args.likelihood.kind, [&](auto mass) {
    with_row_threads(args.columns, [&](auto threads) {
      constexpr int kThreads = decltype(threads)::value;
      device::launch("count_mean", count_mean_kernel<kThreads, decltype(mass)>,
                     device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args, mass);
    });
  });
}

void launch(const TransformInputArgs& args, Stream stream) {
  with_row_threads(args.columns, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("transform_input", transform_input_kernel<kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  });
}

}  // namespace vaecuda::kernels
