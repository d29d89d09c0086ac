// Matrix products by OpenBLAS, for processors without a table of vaecuda's own.

#include <cblas.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "host/cpu/loops.hpp"
#include "vaecuda/error.hpp"

/// The initialization that OpenBLAS would run before main (cmake/HiddenBlas.cmake): most programs never need
/// it.
extern "C" void gotoblas_init(void);

namespace vaecuda::cpu {
namespace {

/// \throws OutOfMemoryError if so many of OpenBLAS's buffers cannot be mapped
void require_buffers(int count) {
  constexpr std::size_t kBuffer = std::size_t{128} << 20;
  const std::size_t bytes = kBuffer * static_cast<std::size_t>(count);
  void* room =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) {
    throw OutOfMemoryError(fmt::format(
        "not enough address space for the matrix products of this processor, which OpenBLAS makes: "
        "{} MiB asked; raise the limit (ulimit -v, ulimit -d) or take fewer --threads",
        bytes >> 20));
  }
  munmap(room, bytes);
}

/// Starts OpenBLAS unless it has started.
void start_blas() {
  static const bool kStarted = [] {
    // One for itself and one for every core.
    require_buffers(1 + static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
    gotoblas_init();
    return true;
  }();
  static_cast<void>(kStarted);
}

// Sizes are far below 2^31: the option table limits layers, and a tile is never wider than a layer.
blasint as_blas(std::int64_t value) {
  return static_cast<blasint>(value);
}

/// The products add to a zeroed result: with β = 0 OpenBLAS clears it in a loop several times slower than
/// memset.
void clear(Result y, std::int64_t rows, std::int64_t cols) {
  if (y.stride == cols) {
    std::memset(y.data, 0, static_cast<std::size_t>(rows * cols) * sizeof(float));
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r)
    std::memset(y.data + r * y.stride, 0, static_cast<std::size_t>(cols) * sizeof(float));
}

void blas_forward(Operand x, Operand w, Result y, std::int64_t m, std::int64_t n, std::int64_t k, float*,
                  const StripDone& done) {
  start_blas();
  clear(y, m, n);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, as_blas(m), as_blas(n), as_blas(k), 1.0f, x.data,
              as_blas(x.stride), w.data, as_blas(w.stride), 1.0f, y.data, as_blas(y.stride));
  done(0, n);
}

void blas_data_gradient(Operand d, Operand w, Result dx, std::int64_t m, std::int64_t k, std::int64_t n,
                        float*, const StripDone& done) {
  start_blas();
  clear(dx, m, k);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_blas(m), as_blas(k), as_blas(n), 1.0f, d.data,
              as_blas(d.stride), w.data, as_blas(w.stride), 1.0f, dx.data, as_blas(dx.stride));
  done(0, k);
}

void blas_weight_gradient(Operand d, Operand x, Result dw, std::int64_t n, std::int64_t k, std::int64_t rows,
                          float*) {
  start_blas();
  clear(dw, n, k);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_blas(n), as_blas(k), as_blas(rows), 1.0f, d.data,
              as_blas(d.stride), x.data, as_blas(x.stride), 1.0f, dw.data, as_blas(dw.stride));
}

AdamOutcome blas_weight_update(Operand d, Operand x, const UpdateTarget& target, std::int64_t n,
                               std::int64_t k, std::int64_t rows, float* scratch) {
  blas_weight_gradient(d, x, {scratch, k}, n, k, rows, nullptr);
  const Loops& loops = baseline::table();
  AdamOutcome outcome{0.0, -1};
  const bool contiguous = target.stride == k;
  const std::int64_t count = contiguous ? n * k : k;
  for (std::int64_t r = 0; r < (contiguous ? 1 : n); ++r) {
    const std::int64_t at = r * target.stride;
    const AdamOutcome row = loops.adam(target.constants, target.step, target.parameter + at,
                                       target.moment1 + at, target.moment2 + at, scratch + r * k, count);
    outcome.sum_of_squares += row.sum_of_squares;
    if (row.first_bad >= 0 && outcome.first_bad < 0) outcome.first_bad = at + row.first_bad;
  }
  return outcome;
}

std::int64_t blas_scratch_size(std::int64_t n, std::int64_t k, std::int64_t) {
  return n * k;
}

}  // namespace

const Products& blas_products() {
  static constexpr Products kTable = {.name = "OpenBLAS",
                                      .scratch_size = blas_scratch_size,
                                      .forward = blas_forward,
                                      .data_gradient = blas_data_gradient,
                                      .weight_gradient = blas_weight_gradient,
                                      .weight_update = blas_weight_update};
  return kTable;
}

void prepare_blas(int threads) {
  start_blas();
  require_buffers(std::max(1, threads));
}

const char* blas_kernels() {
  start_blas();
  return openblas_get_corename();
}

}  // namespace vaecuda::cpu
