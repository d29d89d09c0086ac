#include "kernels/importance.hpp"

#include "kernels/device/device.cuh"
#include "kernels/device/element_launch.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/math/importance.h"

namespace vaecuda::kernels {
namespace {

constexpr int kBlock = 128;

/// Equation: with log w = −(nll + log_ratio) (B·K,1), sample k of row b at b·K + k: loss (B,1) =
///   −log (1/K Σ w); weights (B·K,1) = w / Σ w, reconstruction (B,1) = Σ weights·nll and kl (B,1) =
///   Σ weights·log_ratio, each of these where wanted.
/// Threads: blocks of 128, kThreads a row: 8, or a warp where K > 8.
/// Bytes: a row: 8·K read, and once more out of the cache, twice with weights; 4 written, 4·K of weights and
///   4 each of reconstruction and kl where wanted.
/// Alignment: any; element by element.
/// Determinism: sums per thread in the order of samples, then over lanes by halves. The order depends on K
///   alone.
/// Faults: a row whose loss is not finite raises *fault.
template <int kThreads>
__device__ __forceinline__ void importance_weights_tile(const ImportanceWeightsArgs& args,
                                                        device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  const std::int64_t row = Group::row(tile);
  const bool inside = row < args.batch;
  const std::int64_t samples = inside ? args.samples : 0;
  const float* nll = args.nll.data + row * args.samples * args.nll.stride;
  const float* log_ratio = args.log_ratio.data + row * args.samples * args.log_ratio.stride;
  const auto log_w = [&](std::int64_t k) {
    return math::log_weight(nll[k * args.nll.stride], log_ratio[k * args.log_ratio.stride]);
  };
  float largest = inside ? log_w(0) : 0.0f;
  for (std::int64_t k = Group::lane(); k < samples; k += kThreads) {
    const float value = log_w(k);
    largest = value > largest ? value : largest;
  }
  largest = device::lane_max<kThreads>(largest);
  float sum = 0.0f;
  float weighted_nll = 0.0f;
  float weighted_ratio = 0.0f;
  for (std::int64_t k = Group::lane(); k < samples; k += kThreads) {
    const float w = math::relative_weight(log_w(k), largest);
    sum += w;
    weighted_nll += w * nll[k * args.nll.stride];
    weighted_ratio += w * log_ratio[k * args.log_ratio.stride];
  }
  sum = device::lane_sum<kThreads>(sum);
  weighted_nll = device::lane_sum<kThreads>(weighted_nll);
  weighted_ratio = device::lane_sum<kThreads>(weighted_ratio);
  if (args.weights.data != nullptr) {
    float* weights = args.weights.data + row * args.samples * args.weights.stride;
    for (std::int64_t k = Group::lane(); k < samples; k += kThreads) {
      weights[k * args.weights.stride] = math::relative_weight(log_w(k), largest) / sum;
    }
  }
  if (!inside || Group::lane() != 0) return;
  const float loss = math::bound_loss(largest, sum, 1.0f / static_cast<float>(args.samples));
  args.loss.data[row * args.loss.stride] = loss;
  if (args.reconstruction.data != nullptr) {
    args.reconstruction.data[row * args.reconstruction.stride] = weighted_nll / sum;
  }
  if (args.kl.data != nullptr) args.kl.data[row * args.kl.stride] = weighted_ratio / sum;
  if (args.fault != nullptr && math::is_nonfinite(loss)) device::raise_flag(args.fault);
}

template <int kThreads>
__global__ void __launch_bounds__(kBlock) importance_weights_kernel(const ImportanceWeightsArgs args) {
  importance_weights_tile<kThreads>(args, device::this_tile());
}

/// Equation: out (N,D) = scale · weights (N,1) ⊙ in (N,D).
/// Threads: one quad of columns each, blocks of 256 (device::element_shape).
/// Bytes: an element: 4 read; written 4 in fp32, 2 in bfloat16. 4 a row of weights.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: elementwise.
/// Aliases: out.data may be `in`: a thread reads its quad before it writes there.
__device__ __forceinline__ void weigh_rows_tile(const WeighRowsArgs& args, device::Tile tile) {
  const device::ElementPlace at = device::element_place(tile, args.columns);
  if (at.row >= args.rows) return;
  const float factor = args.scale * args.weights.data[at.row * args.weights.stride];
  device::Quad quad = device::load_quad(args.in.data + at.row * args.in.stride, at.column, args.columns);
  for (int i = 0; i < 4; ++i) quad.v[i] *= factor;
  device::store_quad(args.out, at.row, at.column, args.columns, quad);
}

__global__ void __launch_bounds__(device::kElementThreads) weigh_rows_kernel(const WeighRowsArgs args) {
  weigh_rows_tile(args, device::this_tile());
}

}  // namespace

void launch(const ImportanceWeightsArgs& args, Stream stream) {
  const auto launch = [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("importance_weights", importance_weights_kernel<kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  };
  if (args.samples <= 8) {
    launch(std::integral_constant<int, 8>{});
  } else {
    launch(std::integral_constant<int, device::kWarpSize>{});
  }
}

void launch(const WeighRowsArgs& args, Stream stream) {
  device::launch("weigh_rows", weigh_rows_kernel, device::element_shape(args.rows, args.columns), stream,
                 args);
}

}  // namespace vaecuda::kernels
