#include "kernels/gather.hpp"

#include "kernels/device/device.cuh"
#include "kernels/device/random.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/math/permutation.h"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kQuadsInFlight = 4;  // loads that a thread has under way before it uses the first
constexpr int kBlock = 256;

__device__ __forceinline__ std::int64_t source_row(const GatherArgs& args, std::int64_t position) {
  if (args.order == RowOrder::sequential) {
    const std::int64_t row = position - args.state->origin;
    return row < args.data_rows ? row : args.data_rows - 1;
  }
  const auto p = static_cast<std::uint64_t>(position);
  const auto n = static_cast<std::uint64_t>(args.data_rows);
  const std::uint64_t epoch = p / n;
  const math::PermutationKeys keys = math::permutation_keys(args.seed, math::RandomPurpose::shuffle, epoch);
  return static_cast<std::int64_t>(math::permute(keys, p - epoch * n, n));
}

// Bytes stay packed until they are used: converting one would wait for its load.
__device__ __forceinline__ std::uint32_t load_raw(const std::uint8_t* row, std::int64_t c,
                                                  std::int64_t columns) {
  return device::load_packed(row, c, columns);
}
__device__ __forceinline__ Quad load_raw(const float* row, std::int64_t c, std::int64_t columns) {
  return device::load_quad(row, c, columns);
}
__device__ __forceinline__ Quad floats_of(std::uint32_t packed) {
  return device::unpack(packed);
}
__device__ __forceinline__ Quad floats_of(const Quad& quad) {
  return quad;
}

/// Scaled, standardized, binarized columns c … c+3 of the row at `position`.
template <Binarize kBinarize>
__device__ __forceinline__ Quad prepare(Quad x, const GatherArgs& args, std::int64_t position,
                                        std::int64_t c) {
  for (int i = 0; i < 4; ++i) x.v[i] *= args.scale;
  if (args.mean != nullptr) {
    const Quad mean = device::load_quad(args.mean, c, args.columns);
    const Quad inverse = device::load_quad(args.inverse_deviation, c, args.columns);
    for (int i = 0; i < 4; ++i) x.v[i] = (x.v[i] - mean.v[i]) * inverse.v[i];
  }
  if constexpr (kBinarize == Binarize::threshold) {
    for (int i = 0; i < 4; ++i) x.v[i] = x.v[i] > 0.5f ? 1.0f : 0.0f;
  }
  if constexpr (kBinarize == Binarize::stochastic) {
    const Quad uniform =
        device::uniform_quad(args.seed, args.purpose, static_cast<std::uint64_t>(position), c);
    for (int i = 0; i < 4; ++i) x.v[i] = uniform.v[i] <= x.v[i] ? 1.0f : 0.0f;
  }
  return x;
}

/// Columns c … c+3 of the row's label.
__device__ __forceinline__ Quad condition_quad(const GatherArgs& args, std::int64_t source, std::int64_t c) {
  if (args.label_vectors != nullptr) {
    return device::load_quad(args.label_vectors + source * args.condition_columns, c, args.condition_columns);
  }
  const std::int64_t label = args.classes[source];
  Quad quad;
  for (int i = 0; i < 4; ++i) quad.v[i] = c + i == label ? 1.0f : 0.0f;
  return quad;
}

/// Equation: x (B,D)[i] = binarize((rows (N,D)[source(p)] · scale − mean) · inverse_deviation) with
///   p = position + i; source(p) = permutation(seed, ⌊p/N⌋)(p mod N) where shuffled, min(p − origin, N − 1)
///   where sequential. threshold: x > ½; stochastic: u ≤ x, u in (0,1] of (seed, purpose, p, column). The
///   row's label, where there is one, to condition (B,C)[i] and to rows i·K … i·K + K − 1 of
///   decoder_condition (B·K,C).
/// Threads: kThreads a row (8, 32, 64 or 256), rows to a block of 256, each thread four quads of columns in
///   flight. The first threads of the block find a source row each; a barrier hands them over.
/// Bytes: a row: D of u8 or 4·D of f32 read; written 4·D in fp32, 2·D in bfloat16. A condition: 4 read of a
///   class, 4·C of a vector; 4·C·(1 + K) written in fp32, half of it in bfloat16. Mean and deviation, 8·D,
///   out of the cache.
/// Alignment: any; quads are moved by load_packed, load_quad and store_quad.
/// Determinism: no sums; an element depends on seed, position and column alone.
template <typename Raw, Binarize kBinarize, int kThreads>
__device__ __forceinline__ void gather_tile(const GatherArgs& args, device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  static_assert(Group::kBlockThreads == kBlock && Group::kBlockRows <= device::kWarpSize);
  std::int64_t* source = device::shared_array<std::int64_t, Group::kBlockRows>();
  const std::int64_t first_position = args.state->position;
  // By neighbouring threads of one warp: in sm_90 code a permuted index takes about 450 instructions (two
  // Philox blocks for the keys, a 64-bit division, a Feistel network of 100 a pass, fewer than two passes on
  // average), a quad about 40, and every warp of a row that found its own would pay in full.
  const auto thread = static_cast<int>(threadIdx.y * kThreads + threadIdx.x);
  const std::int64_t threads_row = static_cast<std::int64_t>(tile.index) * Group::kBlockRows + thread;
  if (thread < Group::kBlockRows && threads_row < args.batch) {
    source[thread] = source_row(args, first_position + threads_row);
  }
  device::block_barrier();
  const std::int64_t row = Group::row(tile);
  if (row >= args.batch) return;
  const std::int64_t from = source[threadIdx.y];
  for (std::int64_t c = 4 * Group::lane(); c < args.condition_columns; c += 4 * kThreads) {
    const Quad label = condition_quad(args, from, c);
    device::store_quad(args.condition, row, c, args.condition_columns, label);
    for (std::int64_t k = 0; k < args.samples; ++k) {
      device::store_quad(args.decoder_condition, row * args.samples + k, c, args.condition_columns, label);
    }
  }
  const Raw* in = static_cast<const Raw*>(args.rows) + from * args.columns;
  constexpr int kStep = 4 * kThreads;
  for (std::int64_t first = 4 * Group::lane(); first < args.columns; first += kQuadsInFlight * kStep) {
    decltype(load_raw(in, first, args.columns)) raw[kQuadsInFlight];
    for (int q = 0; q < kQuadsInFlight; ++q) raw[q] = load_raw(in, first + q * kStep, args.columns);
    for (int q = 0; q < kQuadsInFlight; ++q) {
      const std::int64_t c = first + q * kStep;
      if (c < args.columns) {
        const Quad x = prepare<kBinarize>(floats_of(raw[q]), args, first_position + row, c);
        device::store_quad(args.x, row, c, args.columns, x);
      }
    }
  }
}

template <typename Raw, Binarize kBinarize, int kThreads>
__global__ void __launch_bounds__(kBlock) gather_kernel(const GatherArgs args) {
  gather_tile<Raw, kBinarize, kThreads>(args, device::this_tile());
}

template <typename Raw, Binarize kBinarize>
void launch_typed(const GatherArgs& args, Stream stream) {
  device::with_threads_per_row<kQuadsInFlight>(args.columns, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("gather", gather_kernel<Raw, kBinarize, kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  });
}

template <typename Raw>
void launch_of_type(const GatherArgs& args, Stream stream) {
  switch (args.binarize) {
    case Binarize::none:
      return launch_typed<Raw, Binarize::none>(args, stream);
    case Binarize::threshold:
      return launch_typed<Raw, Binarize::threshold>(args, stream);
    case Binarize::stochastic:
      return launch_typed<Raw, Binarize::stochastic>(args, stream);
  }
}

}  // namespace

void launch(const GatherArgs& args, Stream stream) {
  if (args.is_u8) {
    launch_of_type<std::uint8_t>(args, stream);
  } else {
    launch_of_type<float>(args, stream);
  }
}

}  // namespace vaecuda::kernels
