// What is measured of all values of a data set: sizes of the raw values, and the moments of columns.
#pragma once

#include <cstdint>

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// Sizes of raw values. Whole numbers, so that they are the same whatever the order.
struct ValueTotals {
  std::int32_t largest = 0;    ///< bits of the largest magnitude, whose order is that of the magnitudes
  std::int64_t exponents = 0;  ///< sum of ⌊log2 |x|⌋ over the values other than 0; of denormal ones −127
  std::int64_t count = 0;      ///< of values other than 0
};

VAECUDA_HD ValueTotals totals_of(float value) {
  const auto magnitude = static_cast<std::int32_t>(float_to_bits(value) & 0x7fffffffU);
  constexpr int kExponentShift = 23;
  constexpr std::int64_t kExponentBias = 127;
  if (magnitude == 0) return ValueTotals{};
  return ValueTotals{magnitude, (magnitude >> kExponentShift) - kExponentBias, 1};
}

VAECUDA_HD ValueTotals operator+(const ValueTotals& a, const ValueTotals& b) {
  return ValueTotals{a.largest > b.largest ? a.largest : b.largest, a.exponents + b.exponents,
                     a.count + b.count};
}

/// One column over all rows.
struct ColumnMoments {
  double mean = 0.0;
  double squares = 0.0;  ///< sum of the squared differences from the mean
  bool varies = false;   ///< two values differ
};

/// sum + difference², rounded twice on every machine: the sums of a data set decide the bits of a model.
VAECUDA_HD double add_square(double sum, double difference) {
#if defined(__CUDA_ARCH__)
  return __dadd_rn(sum, __dmul_rn(difference, difference));
#else
  const double square = difference * difference;
  return sum + square;
#endif
}

/// raw · scale, rounded to a float on every machine.
VAECUDA_HD float scaled(float raw, float scale) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(raw, scale);
#else
  return raw * scale;
#endif
}

}  // namespace vaecuda::math
