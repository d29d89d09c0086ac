// CUDA's vector types as far as kernels use them. Copies go through the executor, since the compiler splits
// the copy of a plain struct into its members, and then nobody sees that 16 bytes were asked for at once.
#pragma once

namespace vaecuda::simt {

/// Copies an object that CUDA moves in one access of so many bytes; `to` or `from` may be device memory.
void copy_8_bytes(void* to, const void* from);
void copy_16_bytes(void* to, const void* from);

}  // namespace vaecuda::simt

struct alignas(16) float4 {
  float x, y, z, w;
  float4() = default;
  float4(float a, float b, float c, float d) : x(a), y(b), z(c), w(d) {}
  float4(const float4& other) { vaecuda::simt::copy_16_bytes(this, &other); }
  float4& operator=(const float4& other) {
    vaecuda::simt::copy_16_bytes(this, &other);
    return *this;
  }
  ~float4() = default;
};

struct alignas(8) uint2 {
  unsigned x, y;
  uint2() = default;
  uint2(unsigned a, unsigned b) : x(a), y(b) {}
  uint2(const uint2& other) { vaecuda::simt::copy_8_bytes(this, &other); }
  uint2& operator=(const uint2& other) {
    vaecuda::simt::copy_8_bytes(this, &other);
    return *this;
  }
  ~uint2() = default;
};

struct alignas(16) uint4 {
  unsigned x, y, z, w;
  uint4() = default;
  uint4(unsigned a, unsigned b, unsigned c, unsigned d) : x(a), y(b), z(c), w(d) {}
  uint4(const uint4& other) { vaecuda::simt::copy_16_bytes(this, &other); }
  uint4& operator=(const uint4& other) {
    vaecuda::simt::copy_16_bytes(this, &other);
    return *this;
  }
  ~uint4() = default;
};

inline float4 make_float4(float x, float y, float z, float w) {
  return {x, y, z, w};
}
inline uint2 make_uint2(unsigned x, unsigned y) {
  return {x, y};
}
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
  return {x, y, z, w};
}
