#include "simt/product.hpp"

namespace vaecuda::simt {
namespace {

constexpr std::int64_t kTileRows = 4;
constexpr std::int64_t kTileCols = 8;
using Four = double __attribute__((vector_size(32), aligned(8)));

std::int64_t round_up(std::int64_t n, std::int64_t to) {
  return (n + to - 1) / to * to;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VAECUDA_SIMT_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VAECUDA_SIMT_CLONES
#endif

/// One tile of the product, its sums in registers.
VAECUDA_SIMT_CLONES void multiply_tile(const double* a, std::int64_t a_stride, const double* b,
                                       std::int64_t b_stride, std::int64_t inner, double* d,
                                       std::int64_t d_stride) {
  Four sum[kTileRows][2] = {};
  for (std::int64_t k = 0; k < inner; ++k) {
    const auto* row = reinterpret_cast<const Four*>(b + k * b_stride);
    for (int r = 0; r < kTileRows; ++r) {
      const double factor = a[r * a_stride + k];
      sum[r][0] += factor * row[0];
      sum[r][1] += factor * row[1];
    }
  }
  for (int r = 0; r < kTileRows; ++r) {
    auto* row = reinterpret_cast<Four*>(d + r * d_stride);
    row[0] = sum[r][0];
    row[1] = sum[r][1];
  }
}

}  // namespace

Padded::Padded(std::int64_t rows, std::int64_t cols)
    : rows_(rows),
      cols_(cols),
      stride_(round_up(cols, kTileCols)),
      values_(static_cast<std::size_t>(round_up(rows, kTileRows) * stride_), 0.0) {}

Padded multiply(const Padded& a, const Padded& b) {
  Padded d(a.rows(), b.cols());
  // A panel of b's columns stays in the cache for all of a.
  for (std::int64_t c = 0; c < d.cols(); c += kTileCols) {
    for (std::int64_t r = 0; r < d.rows(); r += kTileRows)
      multiply_tile(a.row(r), a.stride(), b.row(0) + c, b.stride(), a.cols(), d.row(r) + c, d.stride());
  }
  return d;
}

}  // namespace vaecuda::simt
