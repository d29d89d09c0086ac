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

/// Equation: whole (N,C)[p + i] = batch (B,C)[i] where p + i < N, p = position − origin.
/// Threads: kThreads a row (8, 32, 64 or 256), rows to a block of 256, each thread four quads of columns in
///   flight.
/// Bytes: a row: 4·C read, 4·C written.
/// Alignment: any; quads are moved by load_quad and store_quad, each as its own address allows.
/// Determinism: a copy.
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

/// Equation: batch (B,C)[i] = whole (N,C)[min(p + i, N − 1)], p = position − origin.
/// Threads: kThreads a row (8, 32, 64 or 256), rows to a block of 256, each thread four quads of columns in
///   flight.
/// Bytes: a row: 4·C read; written 4·C in fp32, 2·C in bfloat16.
/// Alignment: any; quads are moved by load_quad and store_quad, each as its own address allows.
/// Determinism: a copy.
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

/// Equation: state->position += batch.
/// Threads: the first of a warp.
/// Bytes: 8 read, 8 written.
/// Alignment: that of the state.
/// Determinism: a function of its arguments.
__device__ __forceinline__ void advance_position_tile(const AdvancePositionArgs& args) {
  if (threadIdx.x == 0) args.state->position += args.batch;
}

__global__ void advance_position_kernel(const AdvancePositionArgs args) {
  advance_position_tile(args);
}

/// Equation: state->position = position, state->origin = origin.
/// Threads: the first of a warp.
/// Bytes: 16 written.
/// Alignment: that of the state.
/// Determinism: a function of its arguments.
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
