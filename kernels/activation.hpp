// What surrounds a matrix product where the library has no epilogue for it.
#pragma once

#include <cstdint>

#include "kernels/math/activation.h"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

struct BiasActivationArgs {
  InMatrix product;             ///< (B,N) = x · Wᵀ
  const float* bias = nullptr;  ///< (N)
  OutMatrix out;                ///< (B,N); may be `product` in place
  float* preactivation = nullptr;
  std::int64_t preactivation_stride = 0;  ///< (B,N); a null pointer: not wanted. May be `product` in place
  math::ActivationKind activation = math::ActivationKind::identity;
  std::int64_t batch = 0;
  std::int64_t columns = 0;
};

/// out = activation(product + bias); preactivation = product + bias.
void launch(const BiasActivationArgs& args, Stream stream);

struct ActivationGradientArgs {
  InMatrix product;  ///< (B,N): gradient by the activation's output
  InMatrix saved;    ///< (B,N): output or pre-activation (math/activation.h); ignored for identity
  OutMatrix dx;      ///< (B,N): gradient by the pre-activation; may be `product` in place
  math::ActivationKind activation = math::ActivationKind::identity;
  std::int64_t batch = 0;
  std::int64_t columns = 0;
};

/// dx = product ⊙ activation'(saved).
void launch(const ActivationGradientArgs& args, Stream stream);

/// The most layers that one launch sums.
inline constexpr int kMaxBiasGradients = 16;

struct BiasGradient {
  InMatrix d;                            ///< (B,N) in fp32, or null where `half` holds it
  const math::BFloat16* half = nullptr;  ///< (B,N) in bfloat16 with d's stride
  float* db = nullptr;                   ///< (N)
  std::int64_t columns = 0;              ///< N
};

struct BiasGradientArgs {
  BiasGradient layer[kMaxBiasGradients];
  int layers = 0;
  std::int64_t batch = 0;
};

/// db = Σ over rows of d, for several layers at once; rows are added in an order fixed by B alone.
void launch(const BiasGradientArgs& args, Stream stream);

struct ConvertArgs {
  InMatrix in;    ///< (B,N)
  OutMatrix out;  ///< (B,N); only its bfloat16 form is written
  std::int64_t batch = 0;
  std::int64_t columns = 0;
};

/// out.half = bfloat16(in).
void launch(const ConvertArgs& args, Stream stream);

}  // namespace vaecuda::kernels
