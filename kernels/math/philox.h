// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), counter and key laid
// out as cuRAND's device generator does: key = seed, counter = {offset / 4, subsequence}, offset a multiple
// of 4. So curand_init(seed, subsequence, 4·block, &s); curand4(&s) draws the same integers as philox(seed,
// subsequence, block).
#pragma once

#include <cstdint>

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// What a random number is for. It occupies the high half of the block counter, so that two purposes never
/// share a number. The values are part of the reproducibility promise: docs/numerics.md lists them.
enum class RandomPurpose : std::uint32_t {
  initialization = 1,     ///< subsequence = tensor, column = element
  shuffle = 2,            ///< subsequence = epoch: keys of the row permutation
  binarize = 3,           ///< subsequence = position, column = data column
  latent = 4,             ///< subsequence = position·K + sample, column = latent
  evaluate = 5,           ///< the latent's noise in evaluation; subsequence = row·K + sample
  evaluate_binarize = 6,  ///< stochastic binarization in evaluation; subsequence = row
  prior = 7,              ///< z of generated rows; subsequence = row
  split = 8,              ///< keys of the permutation that holds rows out
  restart = 9,            ///< row of a restarted code; subsequence = position of the batch, column = code
};

struct Philox4 {
  std::uint32_t v[4];
};

/// Four 32-bit numbers of the given seed, subsequence and block (block = offset / 4).
VAECUDA_HD Philox4 philox(std::uint64_t seed, std::uint64_t subsequence, std::uint64_t block) {
  std::uint32_t c0 = static_cast<std::uint32_t>(block);
  std::uint32_t c1 = static_cast<std::uint32_t>(block >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(subsequence);
  std::uint32_t c3 = static_cast<std::uint32_t>(subsequence >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(seed);
  std::uint32_t k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = static_cast<std::uint64_t>(c0) * 0xD2511F53U;
    const std::uint64_t p1 = static_cast<std::uint64_t>(c2) * 0xCD9E8D57U;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return Philox4{{c0, c1, c2, c3}};
}

/// The block that holds `column` (four columns a block) of a purpose.
VAECUDA_HD std::uint64_t random_block(RandomPurpose purpose, std::uint64_t column) {
  return (static_cast<std::uint64_t>(purpose) << 32) | (column >> 2);
}

/// Uniform in (0, 1], as curand_uniform: (bits + ½)·2⁻³² in float.
VAECUDA_HD float uniform_from_bits(std::uint32_t bits) {
  return static_cast<float>(bits) * 2.3283064365386963e-10f + 1.1641532182693481e-10f;
}

struct NormalPair {
  float first;
  float second;
};

/// Two standard normals by Box and Muller, in cuRAND's order: the sine first. cuRAND's device version takes
/// sin and cos of a rounded angle by a hardware approximation, so that the two agree to about 1e-5 only.
VAECUDA_HD NormalPair normal_pair(std::uint32_t radius_bits, std::uint32_t angle_bits) {
  const float radius = square_root(-2.0f * logarithm(uniform_from_bits(radius_bits)));
  const SinCos angle = sincos_turn(angle_bits);
  return NormalPair{radius * angle.sin, radius * angle.cos};
}

}  // namespace vaecuda::math
