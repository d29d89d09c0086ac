// The part of cuRAND's device interface that kernels use, over kernels/math/philox.h: the same integers as
// cuRAND's Philox4x32-10, and normals that agree with it to about 1e-5.
#pragma once

#include <cstdint>

#include "kernels/math/philox.h"
#include "simt/vector_types.hpp"

struct curandStatePhilox4_32_10_t {
  std::uint64_t seed;
  std::uint64_t subsequence;
  std::uint64_t block;  ///< of four numbers
};

namespace vaecuda::simt {
/// Reports the running thread: the offset is no multiple of 4.
[[noreturn]] void refuse_random_offset();
}  // namespace vaecuda::simt

VAECUDA_HD void curand_init(unsigned long long seed, unsigned long long subsequence,
                            unsigned long long offset, curandStatePhilox4_32_10_t* state) {
  // cuRAND would begin inside a group of four; philox() gives whole groups.
  if (offset % 4 != 0) vaecuda::simt::refuse_random_offset();
  state->seed = seed;
  state->subsequence = subsequence;
  state->block = offset / 4;
}

VAECUDA_HD uint4 curand4(curandStatePhilox4_32_10_t* state) {
  const vaecuda::math::Philox4 bits = vaecuda::math::philox(state->seed, state->subsequence, state->block);
  ++state->block;
  return make_uint4(bits.v[0], bits.v[1], bits.v[2], bits.v[3]);
}

VAECUDA_HD float4 curand_normal4(curandStatePhilox4_32_10_t* state) {
  const vaecuda::math::Philox4 bits = vaecuda::math::philox(state->seed, state->subsequence, state->block);
  ++state->block;
  const vaecuda::math::NormalPair first = vaecuda::math::normal_pair(bits.v[0], bits.v[1]);
  const vaecuda::math::NormalPair second = vaecuda::math::normal_pair(bits.v[2], bits.v[3]);
  return make_float4(first.first, first.second, second.first, second.second);
}
