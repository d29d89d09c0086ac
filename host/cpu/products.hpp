// The three matrix products of a linear layer, each on one thread, on row-major operands. There is a table of
// them per instruction set (products_body.inc), and one that calls OpenBLAS for all other processors. All are
// pure functions of their arguments: the order of a sum depends only on shapes.
#pragma once

#include <cstdint>

#include "kernels/math/adam.h"

namespace vaecuda::cpu {

/// A row-major operand: element (r,c) at data[r · stride + c].
struct Operand {
  const float* data;
  std::int64_t stride;
};

/// A row-major result, in the layout of Operand.
struct Result {
  float* data;
  std::int64_t stride;
};

/// A rectangle of a weight matrix (n,k) and of its two moments, which have the same layout.
struct UpdateTarget {
  math::AdamConstants<float> constants;
  math::AdamStep<float> step;
  float* parameter;
  float* moment1;
  float* moment2;
  std::int64_t stride;  ///< of a row
};

struct AdamOutcome {
  double sum_of_squares;   ///< of the gradients, before clipping
  std::int64_t first_bad;  ///< index of the first element that could not be updated; −1: none
};

/// A callback for some columns of a product as soon as they are computed, while they are in cache. Refers to
/// a callable that must outlive it.
class StripDone {
 public:
  StripDone() = default;
  template <typename Finish>
  explicit StripDone(const Finish& finish)
      : finish_(&finish), call_([](const void* what, std::int64_t column, std::int64_t columns) {
          (*static_cast<const Finish*>(what))(column, columns);
        }) {}
  void operator()(std::int64_t column, std::int64_t columns) const {
    if (call_ != nullptr) call_(finish_, column, columns);
  }

 private:
  const void* finish_ = nullptr;
  void (*call_)(const void* finish, std::int64_t column, std::int64_t columns) = nullptr;
};

struct Products {
  const char* name;
  /// Floats of scratch memory, aligned to 64 bytes, for a weight gradient (n,k) over `depth` rows and for
  /// every other product with an inner size of `depth`.
  std::int64_t (*scratch_size)(std::int64_t n, std::int64_t k, std::int64_t depth);
  /// y (m,n) = x (m,k) · w (n,k)ᵀ
  void (*forward)(Operand x, Operand w, Result y, std::int64_t m, std::int64_t n, std::int64_t k,
                  float* scratch, const StripDone& done);
  /// dx (m,k) = d (m,n) · w (n,k)
  void (*data_gradient)(Operand d, Operand w, Result dx, std::int64_t m, std::int64_t k, std::int64_t n,
                        float* scratch, const StripDone& done);
  /// dw (n,k) = d (rows,n)ᵀ · x (rows,k)
  void (*weight_gradient)(Operand d, Operand x, Result dw, std::int64_t n, std::int64_t k, std::int64_t rows,
                          float* scratch);
  /// The same gradient, applied to the target (n,k) by Adam instead of being stored. `first_bad` counts from
  /// the target's first parameter in its arena.
  AdamOutcome (*weight_update)(Operand d, Operand x, const UpdateTarget& target, std::int64_t n,
                               std::int64_t k, std::int64_t rows, float* scratch);
};

/// By OpenBLAS, with the baseline loops for Adam. The first call waits for OpenBLAS to start.
[[nodiscard]] const Products& blas_products();
/// Starts OpenBLAS, which does not start by itself, for products on this many threads at once. \throws
/// OutOfMemoryError if its address space cannot be allocated: OpenBLAS would retry for ever
void prepare_blas(int threads);
/// The name of the kernels that OpenBLAS selected for this processor.
[[nodiscard]] const char* blas_kernels();

}  // namespace vaecuda::cpu
