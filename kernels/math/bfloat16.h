// bfloat16 as storage: the upper half of an fp32 number, rounded to nearest even. Arithmetic is never done in
// it; tensor cores read it, kernels write it.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/math/host_device.h"

namespace vaecuda::math {

struct BFloat16 {
  std::uint16_t bits;
};

VAECUDA_HD std::uint32_t bits_of(float value) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#else
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
#endif
}

VAECUDA_HD float float_of(std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float value = 0.0f;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
#endif
}

/// Nearest, ties to even; overflow gives infinity; NaN stays NaN.
VAECUDA_HD BFloat16 to_bfloat16(float value) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
  const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  // A NaN keeps its sign and becomes quiet: rounding its payload up could make it infinite.
  return BFloat16{static_cast<std::uint16_t>(nan ? (bits >> 16) | 0x40U : rounded >> 16)};
}

VAECUDA_HD float to_float(BFloat16 value) {
  return float_of(static_cast<std::uint32_t>(value.bits) << 16);
}

}  // namespace vaecuda::math
