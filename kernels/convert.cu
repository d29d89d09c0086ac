#include "kernels/activation.hpp"
#include "kernels/device/device.cuh"
#include "kernels/device/element_launch.cuh"
#include "kernels/device/vector.cuh"

namespace vaecuda::kernels {
namespace {

/// Equation: out.half (B,N) = bfloat16(in (B,N)), to nearest even.
/// Threads: one quad of columns each, blocks of 256 (device::element_shape).
/// Bytes: an element: 4 read, 2 written.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: elementwise.
__device__ __forceinline__ void convert_forward_tile(const ConvertArgs& args, device::Tile tile) {
  const device::ElementPlace at = device::element_place(tile, args.columns);
  if (at.row >= args.batch) return;
  const device::Quad quad =
      device::load_quad(args.in.data + at.row * args.in.stride, at.column, args.columns);
  device::store_quad(args.out.half + at.row * args.out.stride, at.column, args.columns, quad);
}

__global__ void __launch_bounds__(device::kElementThreads) convert_forward_kernel(const ConvertArgs args) {
  convert_forward_tile(args, device::this_tile());
}

}  // namespace

void launch(const ConvertArgs& args, Stream stream) {
  device::launch("convert_forward", convert_forward_kernel, device::element_shape(args.batch, args.columns),
                 stream, args);
}

}  // namespace vaecuda::kernels
