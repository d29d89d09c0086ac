// Four random numbers at a time from cuRAND's Philox, the state in registers: the integers are those of
// math::philox (docs/numerics.md). Each call computes one block of the generator; the compiler drops what
// curand_init and curand4 prepare for a next one. A number that two kernels need is drawn by both, not
// stored.
#pragma once

#include <curand_kernel.h>

#include <cstdint>

#include "kernels/device/vector.cuh"
#include "kernels/math/philox.h"

namespace vaecuda::device {

/// The generator in front of columns c … c+3, c a multiple of 4. cuRAND counts its offset in single numbers.
__device__ __forceinline__ curandStatePhilox4_32_10_t random_state(std::uint64_t seed,
                                                                   math::RandomPurpose purpose,
                                                                   std::uint64_t subsequence,
                                                                   std::int64_t c) {
  curandStatePhilox4_32_10_t state;
  curand_init(seed, subsequence, 4 * math::random_block(purpose, static_cast<std::uint64_t>(c)), &state);
  return state;
}

/// Uniform in (0, 1].
__device__ __forceinline__ Quad uniform_quad(std::uint64_t seed, math::RandomPurpose purpose,
                                             std::uint64_t subsequence, std::int64_t c) {
  curandStatePhilox4_32_10_t state = random_state(seed, purpose, subsequence, c);
  const uint4 words = curand4(&state);
  return Quad{{math::uniform_from_bits(words.x), math::uniform_from_bits(words.y),
               math::uniform_from_bits(words.z), math::uniform_from_bits(words.w)}};
}

/// Standard normal.
__device__ __forceinline__ Quad normal_quad(std::uint64_t seed, math::RandomPurpose purpose,
                                            std::uint64_t subsequence, std::int64_t c) {
  curandStatePhilox4_32_10_t state = random_state(seed, purpose, subsequence, c);
  const float4 normal = curand_normal4(&state);
  return Quad{{normal.x, normal.y, normal.z, normal.w}};
}

}  // namespace vaecuda::device
