// The three matrix products of a linear layer, each on one thread through OpenBLAS, on row-major operands.
#pragma once

#include <cstdint>

namespace vaecuda::cpu {

/// A row-major operand: element (r,c) at data[r · stride + c].
struct Operand {
  const float* data;
  std::int64_t stride;
};

/// y (m,n) = x (m,k) · w (n,k)ᵀ
void multiply_forward(Operand x, Operand w, float* y, std::int64_t y_stride, std::int64_t m, std::int64_t n,
                      std::int64_t k);
/// dx (m,k) = d (m,n) · w (n,k)
void multiply_data_gradient(Operand d, Operand w, float* dx, std::int64_t dx_stride, std::int64_t m,
                            std::int64_t k, std::int64_t n);
/// dw (n,k) = d (rows,n)ᵀ · x (rows,k)
void multiply_weight_gradient(Operand d, Operand x, float* dw, std::int64_t dw_stride, std::int64_t n,
                              std::int64_t k, std::int64_t rows);

}  // namespace vaecuda::cpu
