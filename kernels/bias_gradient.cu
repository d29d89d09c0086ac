#include "kernels/activation.hpp"
#include "kernels/device/device.cuh"
#include "kernels/device/tile.cuh"
#include "kernels/device/vector.cuh"
#include "kernels/math/host_device.h"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kStripQuads = 4;
constexpr int kStripColumns = 4 * kStripQuads;  // 64 bytes of a row in fp32: whole sectors
constexpr int kRowsInFlight = 4;                // loads that a thread has under way before it adds the first

/// Rows that a block has at once: the larger form for batches where few strips would leave most
/// multiprocessors idle, so that each block must draw as much bandwidth as it can.
constexpr int kFewLanes = 64;
constexpr int kManyLanes = 256;
constexpr std::int64_t kFewRows = 1024;

VAECUDA_HD std::int64_t strips_of(std::int64_t columns) {
  return (columns + kStripColumns - 1) / kStripColumns;
}

__device__ __forceinline__ Quad load_gradient(const BiasGradient& layer, std::int64_t row, std::int64_t c) {
  if (layer.d.data != nullptr)
    return device::load_quad(layer.d.data + row * layer.d.stride, c, layer.columns);
  return device::load_quad(layer.half + row * layer.d.stride, c, layer.columns);
}

/// Equation: db (N) = Σ over rows of d (B,N), for each of several layers; d in fp32 or bfloat16, sums in
///   fp32.
/// Threads: a tile is a strip of 16 columns of one layer. Blocks of (4, kLanes): 4 quads of columns by kLanes
///   rows at a time (64, or 256 where B > 1024), four rows' loads of a thread in flight.
/// Bytes: 4·B·N read (2·B·N of bfloat16), 4·N written; 512 or 2048 of shared memory.
/// Alignment: any; d is read by load_quad, db written element by element.
/// Determinism: a column is summed per thread over rows lane, lane + kLanes, … in order, then over the eight
///   row lanes of a warp by halves, then over warps in order. The order depends on B alone.
template <int kLanes>
__device__ __forceinline__ void bias_gradient_backward_tile(const BiasGradientArgs& args, device::Tile tile) {
  constexpr int kWarpRows = device::kWarpSize / kStripQuads;
  constexpr int kWarps = kLanes / kWarpRows;
  int l = 0;
  std::int64_t strip = tile.index;
  for (; strip >= strips_of(args.layer[l].columns); ++l) strip -= strips_of(args.layer[l].columns);
  const BiasGradient& layer = args.layer[l];
  const std::int64_t c = strip * kStripColumns + 4 * threadIdx.x;

  Quad sum{{0.0f, 0.0f, 0.0f, 0.0f}};
  for (std::int64_t first = threadIdx.y; first < args.batch; first += kRowsInFlight * kLanes) {
    Quad d[kRowsInFlight];
    for (int r = 0; r < kRowsInFlight; ++r) {
      const std::int64_t row = first + r * kLanes;
      d[r] = row < args.batch ? load_gradient(layer, row, c) : Quad{{0.0f, 0.0f, 0.0f, 0.0f}};
    }
    for (int r = 0; r < kRowsInFlight; ++r) {
      for (int i = 0; i < 4; ++i) sum.v[i] += d[r].v[i];
    }
  }
  for (int mask = device::kWarpSize / 2; mask >= kStripQuads; mask /= 2) {
    for (int i = 0; i < 4; ++i) sum.v[i] += device::shuffle_xor(sum.v[i], mask);
  }
  float* partial = device::shared_array<float, kWarps * kStripColumns>();
  if (threadIdx.y % kWarpRows == 0) {
    float* mine = partial + threadIdx.y / kWarpRows * kStripColumns + 4 * threadIdx.x;
    for (int i = 0; i < 4; ++i) mine[i] = sum.v[i];
  }
  device::block_barrier();
  const int column = static_cast<int>(threadIdx.y * kStripQuads + threadIdx.x);
  if (column < kStripColumns && strip * kStripColumns + column < layer.columns) {
    float total = partial[column];
    for (int w = 1; w < kWarps; ++w) total += partial[w * kStripColumns + column];
    layer.db[strip * kStripColumns + column] = total;
  }
}

template <int kLanes>
__global__ void __launch_bounds__(kStripQuads* kLanes)
    bias_gradient_backward_kernel(const BiasGradientArgs args) {
  bias_gradient_backward_tile<kLanes>(args, device::this_tile());
}

}  // namespace

void launch(const BiasGradientArgs& args, Stream stream) {
  device::LaunchShape shape;
  shape.blocks = 0;
  for (int l = 0; l < args.layers; ++l) {
    shape.blocks += static_cast<unsigned>(strips_of(args.layer[l].columns));
  }
  shape.threads_x = kStripQuads;
  if (args.batch <= kFewRows) {
    shape.threads_y = kFewLanes;
    device::launch("bias_gradient_backward", bias_gradient_backward_kernel<kFewLanes>, shape, stream, args);
  } else {
    shape.threads_y = kManyLanes;
    device::launch("bias_gradient_backward", bias_gradient_backward_kernel<kManyLanes>, shape, stream, args);
  }
}

}  // namespace vaecuda::kernels
