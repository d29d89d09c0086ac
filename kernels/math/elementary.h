// exp, log, log1p, tanh, erf and sincos of a turn as polynomials without branches, so that a compiler
// vectorizes the loops around them without -ffast-math. The bounds are those of
// tests/math/test_elementary.cpp, which sweeps the whole range against double precision. NaN in gives NaN
// out. The double versions serve the formula tests.
//
// The coefficients are minimax fits in the weighted sense given beside each (iteratively reweighted least
// squares).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/math/host_device.h"

namespace vaecuda::math {

VAECUDA_HD float bits_to_float(std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  return __builtin_bit_cast(float, bits);
#endif
}

VAECUDA_HD std::uint32_t float_to_bits(float value) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#else
  return __builtin_bit_cast(std::uint32_t, value);
#endif
}

VAECUDA_HD float absolute(float x) {
  return bits_to_float(float_to_bits(x) & 0x7fffffffU);
}
VAECUDA_HD double absolute(double x) {
  return x < 0.0 ? -x : x;
}

/// x with the sign of `sign`.
VAECUDA_HD float with_sign(float x, float sign) {
  return bits_to_float((float_to_bits(x) & 0x7fffffffU) | (float_to_bits(sign) & 0x80000000U));
}

VAECUDA_HD float square_root(float x) {
#if defined(__CUDA_ARCH__)
  return sqrtf(x);
#else
  return __builtin_sqrtf(x);
#endif
}
VAECUDA_HD double square_root(double x) {
  return ::sqrt(x);
}

/// True for NaN and ±infinity.
VAECUDA_HD bool is_nonfinite(float x) {
  return (float_to_bits(x) & 0x7f800000U) == 0x7f800000U;
}

/// e^x within 1.05 ulp; 0 below −103.97 (results under 2^-126 lose bits gradually), infinity above 88.72.
VAECUDA_HD float exponential(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  // Adding 1.5·2^23 rounds to an integer, which the low bits of the sum then hold: no float-to-int
  // conversion, which would be undefined for NaN.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const std::int32_t k = static_cast<std::int32_t>(float_to_bits(shifted)) - 0x4b400000;
  float r = x - n * 0.693359375f;  // ln 2 in two parts, the first exact in 10 bits
  r = r - n * -2.12194440e-4f;
  float q = 1.395048916e-03f;  // (e^r − 1 − r) / r², |r| ≤ ln 2 / 2, weighted by r²: 3.1e-9
  q = q * r + 8.368889558e-03f;
  q = q * r + 4.166620583e-02f;
  q = q * r + 1.666651884e-01f;
  q = q * r + 5.000000095e-01f;
  const float p = q * (r * r) + r + 1.0f;
  // 2^k in two factors, since 2^128 is not a float though e^88.7 is.
  const std::int32_t k1 = k >> 1;
  const std::int32_t k2 = k - k1;
  const float s1 = bits_to_float(static_cast<std::uint32_t>(k1 + 127) << 23);
  const float s2 = bits_to_float(static_cast<std::uint32_t>(k2 + 127) << 23);
  return p * s1 * s2;
}
VAECUDA_HD double exponential(double x) {
  return ::exp(x);
}

/// log(1 + x) for x in [0, 1], within 2 ulp.
VAECUDA_HD float log1p_unit(float x) {
  const float s = x / (2.0f + x);  // log(1+x) = 2·atanh(s), s in [0, 1/3]
  const float u = s * s;
  float g = 2.430093813e-01f;  // (2·atanh(s) − 2s) / s³, weighted by s²: 2.2e-10
  g = g * u + 2.142765687e-01f;
  g = g * u + 2.861688490e-01f;
  g = g * u + 3.999887774e-01f;
  g = g * u + 6.666667562e-01f;
  return 2.0f * s + g * u * s;
}
VAECUDA_HD double log1p_unit(double x) {
  return ::log1p(x);
}

/// log x for positive normal x, within 1 ulp.
VAECUDA_HD float logarithm(float x) {
  const std::uint32_t bits = float_to_bits(x);
  // The exponent that leaves a mantissa in [√½, √2).
  const std::int32_t k = (static_cast<std::int32_t>(bits) - 0x3f3504f3) >> 23;
  const float m = bits_to_float(bits - (static_cast<std::uint32_t>(k) << 23));
  const float f = m - 1.0f;
  const float s = f / (2.0f + f);
  const float u = s * s;
  float g = 2.358260245e-01f;  // as in log1p_unit, |s| ≤ 0.1716: 9.6e-12
  g = g * u + 2.853728617e-01f;
  g = g * u + 4.000033552e-01f;
  g = g * u + 6.666666564e-01f;
  const float n = static_cast<float>(k);
  // log m = f − (f²/2 − s·(f²/2 + g·u·…)): kept relative to f, so that nothing cancels near 1.
  const float h = 0.5f * f * f;
  return n * 0.693359375f + (f - (h - (s * (h + g * u) + n * -2.12194440e-4f)));
}
VAECUDA_HD double logarithm(double x) {
  return ::log(x);
}

/// tanh x within 1.5 ulp.
VAECUDA_HD float hyperbolic_tangent(float x) {
  const float a = absolute(x);
  const float u = x * x;
  float t = -5.717036548e-03f;  // (tanh x − x) / x³, |x| ≤ 0.625, weighted by x²: 4.1e-9
  t = t * u + 2.065057899e-02f;
  t = t * u + -5.374349526e-02f;
  t = t * u + 1.333149125e-01f;
  t = t * u + -3.333328392e-01f;
  const float small = t * u * x + x;
  const float large = 1.0f - 2.0f / (exponential(2.0f * a) + 1.0f);
  return with_sign(a < 0.625f ? small : large, x);
}
VAECUDA_HD double hyperbolic_tangent(double x) {
  return ::tanh(x);
}

/// erf x within 1.5 ulp.
VAECUDA_HD float error_function(float x) {
  const float a = absolute(x);
  const float u = x * x;
  float e = 8.698965879e-05f;  // erf(x) / x, |x| ≤ 0.875: 2.0e-10
  e = e * u + -8.216546895e-04f;
  e = e * u + 5.207219257e-03f;
  e = e * u + -2.686177353e-02f;
  e = e * u + 1.128373643e-01f;
  e = e * u + -3.761263629e-01f;
  e = e * u + 1.283791671e-01f;  // less 1, which joins last: the sum rounds once at the result's own size
  const float small = e * x + x;
  const float b = a > 4.0f ? 4.0f : a;  // erf(4) rounds to 1
  float q = 2.045146275e-05f;           // −log(erfc(b)), 0.875 ≤ b ≤ 4, weighted by erfc/erf: 8.3e-11
  q = q * b + -4.270840930e-04f;
  q = q * b + 4.135649932e-03f;
  q = q * b + -2.502715467e-02f;
  q = q * b + 1.081390468e-01f;
  q = q * b + 6.334734590e-01f;
  q = q * b + 1.129453167e+00f;
  q = q * b + -1.620259704e-04f;
  const float large = 1.0f - exponential(-q);
  return a < 0.875f ? small : (x != x ? x : with_sign(large, x));
}
VAECUDA_HD double error_function(double x) {
  return ::erf(x);
}

/// sin and cos of 2π·(turn + ½)/2³², absolute error below 1.2e-7.
struct SinCos {
  float sin;
  float cos;
};
VAECUDA_HD SinCos sincos_turn(std::uint32_t turn) {
  const std::uint32_t shifted = turn + 0x20000000U;  // an eighth of a turn, so that the rest is centred
  const std::uint32_t quadrant = shifted >> 30;
  const auto rest = static_cast<std::int32_t>(shifted & 0x3fffffffU) - 0x20000000;
  const float r = (static_cast<float>(rest) + 0.5f) * 1.46291807926715968e-9f;  // (π/2) / 2³⁰
  const float u = r * r;
  float s = -1.951697647e-04f;  // (sin r − r) / r³, |r| ≤ π/4: 3.6e-9
  s = s * u + 8.332175837e-03f;
  s = s * u + -1.666665491e-01f;
  const float sin_r = s * u * r + r;
  float c = 2.443808911e-05f;  // (cos r − 1 + r²/2) / r⁴: 9.6e-11
  c = c * u + -1.388736447e-03f;
  c = c * u + 4.166664681e-02f;
  const float cos_r = c * u * u - 0.5f * u + 1.0f;
  const bool odd = (quadrant & 1U) != 0U;
  const float sin_q = odd ? cos_r : sin_r;
  const float cos_q = odd ? sin_r : cos_r;
  SinCos result;
  result.sin = (quadrant & 2U) != 0U ? -sin_q : sin_q;
  result.cos = ((quadrant + 1U) & 2U) != 0U ? -cos_q : cos_q;
  return result;
}

/// 1 / (1 + e^-x) within 2.5 ulp, from e^-|x| so that neither side overflows.
template <typename T>
VAECUDA_HD T logistic(T x) {
  const T e = exponential(-absolute(x));
  return (x >= T(0) ? T(1) : e) / (T(1) + e);
}

}  // namespace vaecuda::math
