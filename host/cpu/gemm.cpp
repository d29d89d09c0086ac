#include "host/cpu/gemm.hpp"

#include <cblas.h>

#include <cstring>

namespace vaecuda::cpu {
namespace {

// Sizes are far below 2^31 here: layers are capped by the option table, and a tile is never wider than a
// layer.
blasint as_blas(std::int64_t value) {
  return static_cast<blasint>(value);
}

/// The products add to a zeroed result: with β = 0 OpenBLAS clears it by a loop several times slower than
/// memset.
void clear(float* y, std::int64_t stride, std::int64_t rows, std::int64_t cols) {
  if (stride == cols) {
    std::memset(y, 0, static_cast<std::size_t>(rows * cols) * sizeof(float));
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r)
    std::memset(y + r * stride, 0, static_cast<std::size_t>(cols) * sizeof(float));
}

}  // namespace

void multiply_forward(Operand x, Operand w, float* y, std::int64_t y_stride, std::int64_t m, std::int64_t n,
                      std::int64_t k) {
  clear(y, y_stride, m, n);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, as_blas(m), as_blas(n), as_blas(k), 1.0f, x.data,
              as_blas(x.stride), w.data, as_blas(w.stride), 1.0f, y, as_blas(y_stride));
}

void multiply_data_gradient(Operand d, Operand w, float* dx, std::int64_t dx_stride, std::int64_t m,
                            std::int64_t k, std::int64_t n) {
  clear(dx, dx_stride, m, k);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_blas(m), as_blas(k), as_blas(n), 1.0f, d.data,
              as_blas(d.stride), w.data, as_blas(w.stride), 1.0f, dx, as_blas(dx_stride));
}

void multiply_weight_gradient(Operand d, Operand x, float* dw, std::int64_t dw_stride, std::int64_t n,
                              std::int64_t k, std::int64_t rows) {
  clear(dw, dw_stride, n, k);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_blas(n), as_blas(k), as_blas(rows), 1.0f, d.data,
              as_blas(d.stride), x.data, as_blas(x.stride), 1.0f, dw, as_blas(dw_stride));
}

}  // namespace vaecuda::cpu
