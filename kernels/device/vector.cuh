// Four floats at a time. A row is walked in quads of columns 4j … 4j+3, as the random numbers come. Where a
// quad's address allows it and the row has all four columns, it is one access of 16 bytes (8 of bfloat16, 4
// of u8); else one for each element.
#pragma once

#include <cstdint>

#include "kernels/device/device.cuh"
#include "kernels/math/bfloat16.h"
#include "kernels/matrix.hpp"

namespace vaecuda::device {

struct Quad {
  float v[4];
};

__device__ __forceinline__ bool is_aligned(const void* address, unsigned bytes) {
  return (reinterpret_cast<std::uintptr_t>(address) & (bytes - 1)) == 0;
}

/// Columns c … c+3 of a row; columns from `columns` on give 0.
__device__ __forceinline__ Quad load_quad(const float* row, std::int64_t c, std::int64_t columns) {
  Quad quad{{0.0f, 0.0f, 0.0f, 0.0f}};
  const float* p = row + c;
  if (c + 4 <= columns && is_aligned(p, 16)) {
    const float4 four = *reinterpret_cast<const float4*>(p);
    quad = Quad{{four.x, four.y, four.z, four.w}};
  } else {
    for (int i = 0; i < 4; ++i) {
      if (c + i < columns) quad.v[i] = p[i];
    }
  }
  return quad;
}

/// The same of bfloat16.
__device__ __forceinline__ Quad load_quad(const math::BFloat16* row, std::int64_t c, std::int64_t columns) {
  Quad quad{{0.0f, 0.0f, 0.0f, 0.0f}};
  const math::BFloat16* p = row + c;
  if (c + 4 <= columns && is_aligned(p, 8)) {
    const uint2 pairs = *reinterpret_cast<const uint2*>(p);
    quad = Quad{{math::float_of(pairs.x << 16), math::float_of(pairs.x & 0xFFFF0000U),
                 math::float_of(pairs.y << 16), math::float_of(pairs.y & 0xFFFF0000U)}};
  } else {
    for (int i = 0; i < 4; ++i) {
      if (c + i < columns) quad.v[i] = math::to_float(p[i]);
    }
  }
  return quad;
}

/// The same of bytes, column c + i in bits 8i … 8i+7.
__device__ __forceinline__ std::uint32_t load_packed(const std::uint8_t* row, std::int64_t c,
                                                     std::int64_t columns) {
  const std::uint8_t* p = row + c;
  if (c + 4 <= columns && is_aligned(p, 4)) return *reinterpret_cast<const std::uint32_t*>(p);
  std::uint32_t four = 0;
  for (int i = 0; i < 4; ++i) {
    if (c + i < columns) four |= static_cast<std::uint32_t>(p[i]) << (8 * i);
  }
  return four;
}

/// Four packed bytes as floats.
__device__ __forceinline__ Quad unpack(std::uint32_t four) {
  Quad quad;
  for (int i = 0; i < 4; ++i) quad.v[i] = static_cast<float>((four >> (8 * i)) & 0xFFU);
  return quad;
}

/// Columns c … c+3 of a row of bytes, as floats.
__device__ __forceinline__ Quad load_quad(const std::uint8_t* row, std::int64_t c, std::int64_t columns) {
  return unpack(load_packed(row, c, columns));
}

__device__ __forceinline__ void store_quad(float* row, std::int64_t c, std::int64_t columns,
                                           const Quad& quad) {
  float* p = row + c;
  if (c + 4 <= columns && is_aligned(p, 16)) {
    store_vector(p, make_float4(quad.v[0], quad.v[1], quad.v[2], quad.v[3]));
  } else {
    for (int i = 0; i < 4; ++i) {
      if (c + i < columns) p[i] = quad.v[i];
    }
  }
}

__device__ __forceinline__ void store_quad(math::BFloat16* row, std::int64_t c, std::int64_t columns,
                                           const Quad& quad) {
  math::BFloat16* p = row + c;
  if (c + 4 <= columns && is_aligned(p, 8)) {
    std::uint32_t half[4];
    for (int i = 0; i < 4; ++i) half[i] = math::to_bfloat16(quad.v[i]).bits;
    store_vector(p, make_uint2(half[0] | (half[1] << 16), half[2] | (half[3] << 16)));
  } else {
    for (int i = 0; i < 4; ++i) {
      if (c + i < columns) p[i] = math::to_bfloat16(quad.v[i]);
    }
  }
}

/// The matrix without its first columns.
__device__ __forceinline__ kernels::OutMatrix columns_from(const kernels::OutMatrix& out,
                                                           std::int64_t first) {
  return kernels::OutMatrix{out.data != nullptr ? out.data + first : nullptr,
                            out.half != nullptr ? out.half + first : nullptr, out.stride};
}

/// Columns c … c+3 of row r, in each form that is wanted.
__device__ __forceinline__ void store_quad(const kernels::OutMatrix& out, std::int64_t r, std::int64_t c,
                                           std::int64_t columns, const Quad& quad) {
  if (out.data != nullptr) store_quad(out.data + r * out.stride, c, columns, quad);
  if (out.half != nullptr) store_quad(out.half + r * out.stride, c, columns, quad);
}

}  // namespace vaecuda::device
