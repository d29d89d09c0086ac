#include "kernels/rows.hpp"

#include "kernels/device/device.cuh"
#include "kernels/device/row_launch.cuh"
#include "kernels/device/vector.cuh"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kQuadsInFlight = 4;  // loads that a thread has under way before it stores the first
constexpr int kBlock = 256;
constexpr device::LaunchShape kOneWarp{1, device::kWarpSize, 1, 0};

/// Copies a row with kThreads threads; `store` is given the first column of a quad and the quad.
template <int kThreads, typename Store>
__device__ __forceinline__ void copy_row(const float* in, std::int64_t columns, const Store& store) {
  constexpr int kStep = 4 * kThreads;
  const int lane = device::RowBlock<kThreads, kBlock>::lane();
  for (std::int64_t first = 4 * lane; first < columns; first += kQuadsInFlight * kStep) {
    Quad quad[kQuadsInFlight];
    for (int q = 0; q < kQuadsInFlight; ++q) quad[q] = device::load_quad(in, first + q * kStep, columns);
    for (int q = 0; q < kQuadsInFlight; ++q) store(first + q * kStep, quad[q]);
  }
}

/// whole (N,C)[p + i] = batch (B,C)[i] where p + i < N, p = position − origin.
/// Threads: kThreads a row, rows to a block of 256, each thread four quads of columns in flight.
/// Bytes: 4·C read and 4·C written a row. Alignment: any; source and destination each move 16 bytes at a time
/// where their address allows. Determinism: a copy. `=`.
template <int kThreads>
__device__ __forceinline__ void store_rows_tile(const StoreRowsArgs& args, device::Tile tile) {
  const std::int64_t row = device::RowBlock<kThreads, kBlock>::row(tile);
  const std::int64_t to = args.state->position - args.state->origin + row;
  if (row >= args.rows || to >= args.whole_rows) return;
  float* out = args.whole + to * args.whole_stride;
  copy_row<kThreads>(
      args.batch.data + row * args.batch.stride, args.columns,
      [&](std::int64_t c, const Quad& quad) { device::store_quad(out, c, args.columns, quad); });
}

template <int kThreads>
__global__ void __launch_bounds__(kBlock) store_rows_kernel(const StoreRowsArgs args) {
  store_rows_tile<kThreads>(args, device::this_tile());
}

/// batch (B,C)[i] = whole (N,C)[min(p + i, N − 1)], p = position − origin, in fp32, bfloat16 or both.
/// Threads, alignment, determinism: as store_rows. Bytes: 4·C read and 4·C (2·C in bfloat16) written a row.
template <int kThreads>
__device__ __forceinline__ void load_rows_tile(const LoadRowsArgs& args, device::Tile tile) {
  const std::int64_t row = device::RowBlock<kThreads, kBlock>::row(tile);
  if (row >= args.rows) return;
  const std::int64_t wanted = args.state->position - args.state->origin + row;
  const std::int64_t from = wanted < args.whole_rows ? wanted : args.whole_rows - 1;
  copy_row<kThreads>(
      args.whole.data + from * args.whole.stride, args.columns,
      [&](std::int64_t c, const Quad& quad) { device::store_quad(args.batch, row, c, args.columns, quad); });
}

template <int kThreads>
__global__ void __launch_bounds__(kBlock) load_rows_kernel(const LoadRowsArgs args) {
  load_rows_tile<kThreads>(args, device::this_tile());
}

/// state->position += batch. One thread of a warp works; 8 bytes read and written.
__device__ __forceinline__ void advance_position_tile(const AdvancePositionArgs& args) {
  if (threadIdx.x == 0) args.state->position += args.batch;
}

__global__ void advance_position_kernel(const AdvancePositionArgs args) {
  advance_position_tile(args);
}

/// state->position = position, state->origin = origin. One thread of a warp works; 16 bytes written.
__device__ __forceinline__ void set_position_tile(const SetPositionArgs& args) {
  if (threadIdx.x != 0) return;
  args.state->position = args.position;
  args.state->origin = args.origin;
}

__global__ void set_position_kernel(const SetPositionArgs args) {
  set_position_tile(args);
}

}  // namespace

void launch(const StoreRowsArgs& args, Stream stream) {
  device::with_threads_per_row<kQuadsInFlight>(args.columns, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("store_rows", store_rows_kernel<kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.rows), stream, args);
  });
}

void launch(const LoadRowsArgs& args, Stream stream) {
  device::with_threads_per_row<kQuadsInFlight>(args.columns, [&](auto threads) {
    constexpr int kThreads = decltype(threads)::value;
    device::launch("load_rows", load_rows_kernel<kThreads>,
                   device::RowBlock<kThreads, kBlock>::shape(args.rows), stream, args);
  });
}

void launch(const AdvancePositionArgs& args, Stream stream) {
  device::launch("advance_position", advance_position_kernel, kOneWarp, stream, args);
}

void launch(const SetPositionArgs& args, Stream stream) {
  device::launch("set_position", set_position_kernel, kOneWarp, stream, args);
}

}  // namespace vaecuda::kernels
