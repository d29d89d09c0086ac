#include "kernels/activation.hpp"

#include <type_traits>

#include "kernels/device/device.cuh"
#include "kernels/device/element_launch.cuh"
#include "kernels/device/vector.cuh"

namespace vaecuda::kernels {
namespace {

using device::ElementPlace;
using device::Quad;

/// Equation: out (B,N) = activation(product (B,N) + bias (N)); preactivation (B,N) = product + bias, where
///   wanted.
/// Threads: one quad of columns each, blocks of 256 (device::element_shape).
/// Bytes: an element: 4 read; written 4 for each fp32 result and 2 for a bfloat16 one. 4·N of bias, read
///   again by every row out of the cache.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: elementwise.
/// Aliases: `out` or `preactivation` may be `product`: a thread reads its quad before it writes there.
template <typename Activation>
__device__ __forceinline__ void bias_activation_forward_tile(const BiasActivationArgs& args,
                                                             const Activation& activation,
                                                             device::Tile tile) {
  const ElementPlace at = device::element_place(tile, args.columns);
  if (at.row >= args.batch) return;
  Quad a = device::load_quad(args.product.data + at.row * args.product.stride, at.column, args.columns);
  const Quad bias = device::load_quad(args.bias, at.column, args.columns);
  for (int i = 0; i < 4; ++i) a.v[i] += bias.v[i];
  if (args.preactivation != nullptr) {
    device::store_quad(args.preactivation + at.row * args.preactivation_stride, at.column, args.columns, a);
  }
  Quad h;
  for (int i = 0; i < 4; ++i) h.v[i] = activation.forward(a.v[i]);
  device::store_quad(args.out, at.row, at.column, args.columns, h);
}

template <typename Activation>
__global__ void __launch_bounds__(device::kElementThreads)
    bias_activation_forward_kernel(const BiasActivationArgs args, const Activation activation) {
  bias_activation_forward_tile(args, activation, device::this_tile());
}

/// Equation: dx (B,N) = product (B,N) ⊙ activation'(saved (B,N)).
/// Threads: one quad of columns each, blocks of 256 (device::element_shape).
/// Bytes: an element: 8 read, 4 for identity, which reads no `saved`; written 4 in fp32, 2 in bfloat16.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: elementwise.
/// Aliases: dx may be `product`: a thread reads its quad before it writes there.
template <typename Activation>
__device__ __forceinline__ void activation_backward_tile(const ActivationGradientArgs& args,
                                                         const Activation& activation, device::Tile tile) {
  const ElementPlace at = device::element_place(tile, args.columns);
  if (at.row >= args.batch) return;
  Quad d = device::load_quad(args.product.data + at.row * args.product.stride, at.column, args.columns);
  if constexpr (!std::is_same_v<Activation, math::Identity>) {
    const Quad saved =
        device::load_quad(args.saved.data + at.row * args.saved.stride, at.column, args.columns);
    for (int i = 0; i < 4; ++i) d.v[i] *= activation.derivative(saved.v[i]);
  }
  device::store_quad(args.dx, at.row, at.column, args.columns, d);
}

template <typename Activation>
__global__ void __launch_bounds__(device::kElementThreads)
    activation_backward_kernel(const ActivationGradientArgs args, const Activation activation) {
  activation_backward_tile(args, activation, device::this_tile());
}

}  // namespace

void launch(const BiasActivationArgs& args, Stream stream) {
  math::with_activation(args.activation, [&](auto activation) {
    device::launch("bias_activation_forward", bias_activation_forward_kernel<decltype(activation)>,
                   device::element_shape(args.batch, args.columns), stream, args, activation);
  });
}

void launch(const ActivationGradientArgs& args, Stream stream) {
  math::with_activation(args.activation, [&](auto activation) {
    device::launch("activation_backward", activation_backward_kernel<decltype(activation)>,
                   device::element_shape(args.batch, args.columns), stream, args, activation);
  });
}

}  // namespace vaecuda::kernels
