// The inner loops of a matrix product, in double.
#pragma once

#include <cstdint>
#include <vector>

namespace vaecuda::simt {

/// A dense row-major matrix, with zeros to the right of and below its elements up to a whole tile.
class Padded {
 public:
  Padded(std::int64_t rows, std::int64_t cols);
  [[nodiscard]] double* row(std::int64_t r) { return values_.data() + r * stride_; }
  [[nodiscard]] const double* row(std::int64_t r) const { return values_.data() + r * stride_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t cols() const { return cols_; }
  [[nodiscard]] std::int64_t stride() const { return stride_; }

 private:
  std::int64_t rows_;
  std::int64_t cols_;
  std::int64_t stride_;
  std::vector<double> values_;
};

/// a (rows, inner) · b (inner, cols). Every sum runs over the inner index from 0 on.
[[nodiscard]] Padded multiply(const Padded& a, const Padded& b);

}  // namespace vaecuda::simt
