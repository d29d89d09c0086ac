// The oracle of counts: rows in double precision, written from the formulas of the literature. As oracle.hpp,
// it shares nothing with the product.
#pragma once

#include <vector>

#include "support/oracle.hpp"

namespace vaecuda::oracle {

struct CountResult {
  Graded nll;                  ///< (B·K,1)
  Graded gradient;             ///< by the output, unscaled
  Graded dispersion_gradient;  ///< (B·K,1) or (B·K,D), by log θ, unscaled; empty where none is a parameter
};
/// output (B·K,P·D) = [rates | log θ | zero logits], those that there are; x (B,D).
[[nodiscard]] CountResult count_likelihood(const CountSpec& spec, const Matrix& output, const Matrix& x,
                                           const std::vector<double>& log_dispersion);
/// `x` without rows: rows have the sum `sum`.
[[nodiscard]] Graded count_mean(const CountSpec& spec, const Matrix& output, const Matrix& x, double sum);

}  // namespace vaecuda::oracle
