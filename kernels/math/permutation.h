// A keyed bijection on 0..n-1 without an index array: a Feistel network on the next power of two, walked
// along its cycle until it lands inside (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
// Any element is computed alone, so every thread finds its row by itself and no sort or shuffle buffer
// exists.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/math/philox.h"

namespace vaecuda::math {

/// Eight half rounds: each mixes one half into the other by a keyed hash.
struct PermutationKeys {
  std::uint32_t key[8];
};

/// Keys of one epoch's order.
VAECUDA_HD PermutationKeys permutation_keys(std::uint64_t seed, RandomPurpose purpose, std::uint64_t epoch) {
  const Philox4 a = philox(seed, epoch, random_block(purpose, 0));
  const Philox4 b = philox(seed, epoch, random_block(purpose, 4));
  return PermutationKeys{{a.v[0], a.v[1], a.v[2], a.v[3], b.v[0], b.v[1], b.v[2], b.v[3]}};
}

/// A 32-bit avalanche hash (two multiply-xorshift rounds).
VAECUDA_HD std::uint32_t mix_bits(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  x ^= x >> 16;
  return x;
}

/// The network's domain is 0 … 2^bits − 1: the fewest bits, but one, that hold n numbers (1 ≤ n ≤ 2⁶²).
VAECUDA_HD int domain_bits(std::uint64_t n) {
  if (n <= 2) return 1;
#if defined(__CUDA_ARCH__)
  return 64 - __clzll(static_cast<long long>(n - 1));
#else
  return 64 - std::countl_zero(n - 1);
#endif
}

/// The image of `index` (0 ≤ index < n, 1 ≤ n ≤ 2⁶²) under the permutation.
VAECUDA_HD std::uint64_t permute(const PermutationKeys& keys, std::uint64_t index, std::uint64_t n) {
  const int bits = domain_bits(n);
  const int low_bits = (bits + 1) / 2;
  const int high_bits = bits - low_bits;
  const std::uint64_t low_mask = (std::uint64_t{1} << low_bits) - 1;
  const std::uint64_t high_mask = (std::uint64_t{1} << high_bits) - 1;
  std::uint64_t value = index;
  do {
    std::uint64_t low = value & low_mask;
    std::uint64_t high = value >> low_bits;
    for (int round = 0; round < 8; round += 2) {
      high ^= mix_bits(static_cast<std::uint32_t>(low) ^ keys.key[round]) & high_mask;
      low ^= mix_bits(static_cast<std::uint32_t>(high) ^ keys.key[round + 1]) & low_mask;
    }
    value = (high << low_bits) | low;
  } while (value >= n);  // the walk ends: the start itself lies inside
  return value;
}

}  // namespace vaecuda::math
