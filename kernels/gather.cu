#include "kernels/gather.hpp"

#include <type_traits>

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

/// The row of the data set that this thread's row of the tile is made of. All threads of the block call it.
template <int kThreads>
__device__ __forceinline__ std::int64_t find_source(const GatherArgs& args, device::Tile tile) {
  using Group = device::RowBlock<kThreads, kBlock>;
  static_assert(Group::kBlockThreads == kBlock && Group::kBlockRows <= device::kWarpSize);
  std::int64_t* source = device::shared_array<std::int64_t, Group::kBlockRows>();
  // By neighbouring threads of one warp: in sm_90 code a permuted index takes about 450 instructions (two
  // Philox blocks for the keys, a 64-bit division, a Feistel network of 100 a pass, fewer than two passes on
  // average), a quad about 40, and every warp of a row that found its own would pay in full.
  const auto thread = static_cast<int>(threadIdx.y * kThreads + threadIdx.x);
  const std::int64_t threads_row = static_cast<std::int64_t>(tile.index) * Group::kBlockRows + thread;
  if (thread < Group::kBlockRows && threads_row < args.batch) {
    source[thread] = source_row(args, args.state->position + threads_row);
  }
  device::block_barrier();
  return Group::row(tile) < args.batch ? source[threadIdx.y] : 0;
}

/// The label of data row `from` behind x and to where the decoder reads it.
template <int kThreads>
__device__ __forceinline__ void copy_condition(const GatherArgs& args, std::int64_t row, std::int64_t from) {
  for (std::int64_t c = 4 * static_cast<std::int64_t>(threadIdx.x); c < args.condition_columns;
       c += 4 * kThreads) {
    const Quad label = condition_quad(args, from, c);
    device::store_quad(args.condition, row, c, args.condition_columns, label);
    for (std::int64_t k = 0; k < args.samples; ++k) {
      device::store_quad(args.decoder_condition, row * args.samples + k, c, args.condition_columns, label);
    }
  }
}

/// Column and raw value at a place of sparse rows. Every thread takes the same branch.
__device__ __forceinline__ std::int64_t sparse_column(const SparseSource& from, std::int64_t place) {
  return from.narrow_columns != nullptr ? from.narrow_columns[place] : from.wide_columns[place];
}
__device__ __forceinline__ float sparse_value(const SparseSource& from, std::int64_t place) {
  if (from.u8 != nullptr) return static_cast<float>(from.u8[place]);
  return from.u16 != nullptr ? static_cast<float>(from.u16[place]) : from.f32[place];
}

/// A single element, prepared as one of a quad is.
template <Binarize kBinarize>
__device__ __forceinline__ float prepare_one(float x, const GatherArgs& args, std::int64_t position,
                                             std::int64_t c) {
  x *= args.scale;
  if (args.mean != nullptr) x = (x - args.mean[c]) * args.inverse_deviation[c];
  if constexpr (kBinarize == Binarize::threshold) x = x > 0.5f ? 1.0f : 0.0f;
  if constexpr (kBinarize == Binarize::stochastic) {
    const std::int64_t first = c / 4 * 4;
    const Quad uniform =
        device::uniform_quad(args.seed, args.purpose, static_cast<std::uint64_t>(position), first);
    float u = uniform.v[0];
    for (int i = 1; i < 4; ++i) u = c - first == i ? uniform.v[i] : u;
    x = u <= x ? 1.0f : 0.0f;
  }
  return x;
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
  const std::int64_t first_position = args.state->position;
  const std::int64_t from = find_source<kThreads>(args, tile);
  const std::int64_t row = Group::row(tile);
  if (row >= args.batch) return;
  copy_condition<kThreads>(args, row, from);
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

/// Equation: as gather_tile, with rows (N,D) by their values other than 0: value[j] in column[j] for
///   row_begin[source(p)] ≤ j < row_begin[source(p) + 1].
/// Threads: as gather_tile. A row's threads write what a 0 becomes to all columns; after a barrier each takes
///   values of the row, neighbours side by side.
/// Bytes: a row of n values: 16 read of row_begin, n of columns (2 or 4 each) and of values (1, 2 or 4 each);
///   written 4·(D + n) in fp32, 2·(D + n) in bfloat16. A condition as gather_tile. Mean and deviation, 8·D,
///   out of the cache.
/// Alignment: any; quads are moved by load_quad and store_quad, values of the row one by one.
/// Determinism: no sums; an element depends on seed, position and column alone. A column stands once in its
///   row.
template <Binarize kBinarize, int kThreads>
__device__ __forceinline__ void gather_sparse_tile(const GatherArgs& args, device::Tile tile) {
  const std::int64_t row = device::RowBlock<kThreads, kBlock>::row(tile);
  const std::int64_t position = args.state->position + row;
  const std::int64_t from = find_source<kThreads>(args, tile);
  const std::int64_t lane = threadIdx.x;
  const bool is_row = row < args.batch;
  if (is_row) {
    copy_condition<kThreads>(args, row, from);
    for (std::int64_t c = 4 * lane; c < args.columns; c += 4 * kThreads) {
      Quad zero{{0.0f, 0.0f, 0.0f, 0.0f}};
      if (args.mean != nullptr) zero = prepare<kBinarize>(zero, args, position, c);
      device::store_quad(args.x, row, c, args.columns, zero);
    }
  }
  device::block_barrier();
  if (!is_row) return;
  const std::int64_t end = args.sparse.row_begin[from + 1];
  for (std::int64_t place = args.sparse.row_begin[from] + lane; place < end; place += kThreads) {
    const std::int64_t c = sparse_column(args.sparse, place);
    const float x = prepare_one<kBinarize>(sparse_value(args.sparse, place), args, position, c);
    if (args.x.data != nullptr) args.x.data[row * args.x.stride + c] = x;
    if (args.x.half != nullptr) args.x.half[row * args.x.stride + c] = math::to_bfloat16(x);
  }
}

template <Binarize kBinarize, int kThreads>
__global__ void __launch_bounds__(kBlock) gather_sparse_kernel(const GatherArgs args) {
  gather_sparse_tile<kBinarize, kThreads>(args, device::this_tile());
}

/// Calls `use` with std::integral_constant of the way to binarize.
template <typename Use>
void with_binarize(Binarize binarize, Use&& use) {
  switch (binarize) {
    case Binarize::none:
      return use(std::integral_constant<Binarize, Binarize::none>{});
    case Binarize::threshold:
      return use(std::integral_constant<Binarize, Binarize::threshold>{});
    case Binarize::stochastic:
      return use(std::integral_constant<Binarize, Binarize::stochastic>{});
  }
}

template <typename Raw, Binarize kBinarize>
void launch_typed(const GatherArgs& args, Stream stream) {
  device::with_threads_per_row<kQuadsInFlight>(args.columns, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("gather", gather_kernel<Raw, kBinarize, kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  });
}

template <Binarize kBinarize>
void launch_sparse(const GatherArgs& args, Stream stream) {
  device::with_threads_per_row<kQuadsInFlight>(args.columns, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("gather_sparse", gather_sparse_kernel<kBinarize, kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.batch), stream, args);
  });
}

}  // namespace

void launch(const GatherArgs& args, Stream stream) {
  with_binarize(args.binarize, [&](auto binarize) {
    constexpr Binarize kBinarize = decltype(binarize)::value;
    if (args.sparse.row_begin != nullptr) return launch_sparse<kBinarize>(args, stream);
    args.is_u8 ? launch_typed<std::uint8_t, kBinarize>(args, stream)
               : launch_typed<float, kBinarize>(args, stream);
  });
}

}  // namespace vaecuda::kernels
