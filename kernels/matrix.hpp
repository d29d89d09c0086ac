// Matrices as kernels take them: row-major, a pointer and the distance of two rows in elements.
#pragma once

#include <cstdint>

#include "kernels/math/bfloat16.h"

namespace vaecuda::kernels {

struct InMatrix {
  const float* data = nullptr;
  std::int64_t stride = 0;
};

/// Where a kernel leaves a result: in fp32, in bfloat16 for the tensor cores, or both; a null pointer leaves
/// that form out. Both forms have the same row stride in elements.
struct OutMatrix {
  float* data = nullptr;
  math::BFloat16* half = nullptr;
  std::int64_t stride = 0;
};

}  // namespace vaecuda::kernels
