// How far a single-precision result may lie from the double-precision oracle: one table, one reason per row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/oracle.hpp"

namespace vaecuda::test {

/// What is compared; each has a row in the table of tolerance.cpp.
enum class Quantity {
  gathered_row,
  linear_output,
  weight_gradient,
  bias_gradient,
  input_gradient,
  latent_sample,
  latent_kl,
  importance_weight,
  latent_gradient,
  negative_log_likelihood,
  likelihood_gradient,
  observation_mean,
  count_likelihood,
  count_gradient,
  count_mean,
  transformed_input,
  prior_sample,
  latent_sample_hardware,
  latent_gradient_hardware,
  prior_sample_hardware,
  adam_moment,
  adam_parameter,
  batch_mean,
  quantization_error,
  codebook_gradient,
  codebook_average,
};

/// |actual − expected| ≤ (flat + per_root_term·√terms) · 2⁻²⁴ · magnitude, where magnitude is the sum of the
/// absolute terms that make the result and `terms` their number. Rounding errors of a sum walk at random, so
/// that they grow with the root of its length; the worst case, its length, is never met.
struct Tolerance {
  Quantity quantity;
  double flat;
  double per_root_term;
  const char* reason;
};
[[nodiscard]] const Tolerance& tolerance_of(Quantity quantity);

/// "" if every element is within tolerance, else how many are not, the first of them with its place, values
/// and what was allowed, and the largest error in units of the allowed one. NaN is never within tolerance.
[[nodiscard]] std::string compare(const std::vector<float>& actual, const oracle::Graded& expected,
                                  Quantity quantity, std::int64_t terms = 1);

/// "" if both hold the same bits, else the first difference.
[[nodiscard]] std::string compare_bits(const std::vector<float>& a, const std::vector<float>& b);

/// The value of guard cells: a quiet NaN with a payload, so that reading one by mistake spoils a result too.
[[nodiscard]] float guard_value();
[[nodiscard]] bool is_guard(float value);

/// "" if every cell of a (rows, left + cols + right) block outside its middle columns still is a guard.
[[nodiscard]] std::string check_guards(const std::vector<float>& block, std::int64_t left, std::int64_t cols,
                                       std::int64_t right);

}  // namespace vaecuda::test
