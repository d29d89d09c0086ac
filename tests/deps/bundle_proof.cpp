// Linked from a bundle of tools/bundle_deps.sh: every library answers, and OpenBLAS's products are right.
#include <cblas.h>
#include <fmt/format.h>
#include <png.h>
#include <zlib.h>

#include <boost/context/detail/fcontext.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

using Matrix = std::vector<float>;

Matrix random_matrix(int values, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  Matrix matrix(static_cast<std::size_t>(values));
  for (float& entry : matrix) entry = value(generator);
  return matrix;
}

/// Largest error of C (m,n) = op(A)·op(B) + beta·C, with inner size k, against sums in double precision.
double product_error(bool transpose_a, bool transpose_b, int m, int n, int k, float beta) {
  const Matrix a = random_matrix(m * k, 1);
  const Matrix b = random_matrix(k * n, 2);
  const Matrix before = random_matrix(m * n, 3);
  Matrix c = before;
  const int lda = transpose_a ? m : k;
  const int ldb = transpose_b ? k : n;
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
              m, n, k, 1.0f, a.data(), lda, b.data(), ldb, beta, c.data(), n);
  double largest = 0.0;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = static_cast<double>(beta) * before[static_cast<std::size_t>(i * n + j)];
      for (int l = 0; l < k; ++l) {
        sum += static_cast<double>(a[static_cast<std::size_t>(transpose_a ? l * lda + i : i * lda + l)]) *
               b[static_cast<std::size_t>(transpose_b ? j * ldb + l : l * ldb + j)];
      }
      largest = std::fmax(largest, std::fabs(sum - c[static_cast<std::size_t>(i * n + j)]));
    }
  }
  return largest;
}

void resume(boost::context::detail::transfer_t from) {
  boost::context::detail::jump_fcontext(from.fctx, nullptr);
}

/// Onto another stack and back.
bool switches_stacks() {
  std::vector<char> stack(64 * 1024);
  boost::context::detail::fcontext_t context =
      boost::context::detail::make_fcontext(stack.data() + stack.size(), stack.size(), resume);
  return boost::context::detail::jump_fcontext(context, nullptr).fctx != nullptr;
}

}  // namespace

int main() {
  constexpr int kSizes[][3] = {{1, 1, 1}, {7, 5, 3}, {33, 65, 17}, {128, 400, 784}, {200, 31, 300}};
  // Of sums of up to 784 products of numbers below 1.
  constexpr double kTolerance = 1e-4;
  double largest = 0.0;
  for (const auto& [m, n, k] : kSizes) {
    for (const float beta : {0.0f, 1.0f}) {
      largest = std::fmax(largest, product_error(false, true, m, n, k, beta));
      largest = std::fmax(largest, product_error(false, false, m, n, k, beta));
      largest = std::fmax(largest, product_error(true, false, m, n, k, beta));
    }
  }
  const std::string line = fmt::format(
      "OpenBLAS with kernels {}: largest error {:.1e}; fmt {}, zlib {}, libpng {}, Boost.Context {}",
      openblas_get_corename(), largest, FMT_VERSION, zlibVersion(), png_get_libpng_ver(nullptr),
      switches_stacks() ? "switches stacks" : "FAILED");
  std::puts(line.c_str());
  return largest < kTolerance ? EXIT_SUCCESS : EXIT_FAILURE;
}
