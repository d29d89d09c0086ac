#include "support/tolerance.hpp"

#include <array>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace vaecuda::test {
namespace {

constexpr std::uint32_t kGuardBits = 0x7fc0beefU;

constexpr std::array<Tolerance, 26> kTable = {{
    {Quantity::gathered_row, 3.0, 0.0, "scale, subtract, multiply: three roundings"},
    {Quantity::linear_output, 6.0, 2.0, "a sum of products in blocks, then an activation good to 2.5 ulp"},
    {Quantity::weight_gradient, 4.0, 2.0, "a sum of products over the rows"},
    {Quantity::bias_gradient, 4.0, 2.0, "a sum over the rows"},
    {Quantity::input_gradient, 12.0, 2.0, "a sum of products, times a slope made of three rounded factors"},
    {Quantity::latent_sample, 40.0, 0.0,
     "the normal is off by 3e-7 of its radius, which is up to 6.7: 34 units"},
    {Quantity::latent_kl, 10.0, 2.0, "an exponential squared (4 ulp), three sums, then a sum over latents"},
    {Quantity::importance_weight, 8.0, 2.0,
     "exponentials of rounded log weights, against the size of those, a sum and a quotient"},
    {Quantity::latent_gradient, 40.0, 0.0, "the recomputed normal, as for the sample"},
    {Quantity::negative_log_likelihood, 8.0, 2.0, "exp and log1p (3 ulp) and a sum over the columns"},
    {Quantity::likelihood_gradient, 10.0, 0.0, "a sigmoid good to 2.5 ulp, a difference and a scaling"},
    {Quantity::observation_mean, 5.0, 0.0, "a sigmoid good to 2.5 ulp"},
    {Quantity::count_likelihood, 8.0, 2.0,
     "logarithms and exponentials of rounded logits, a sum over the columns"},
    {Quantity::count_gradient, 12.0, 2.0,
     "a rate good to 3 ulp, a quotient, a difference, a scaling; and sums"},
    {Quantity::count_mean, 5.0, 0.0, "an exponential of a rounded sum, and a sigmoid good to 2.5 ulp"},
    {Quantity::transformed_input, 6.0, 1.0, "log1p good to 3 ulp, or a norm summed over the columns"},
    {Quantity::prior_sample, 40.0, 0.0, "the normal, as for the latent sample"},
    {Quantity::latent_sample_hardware, 300.0, 0.0,
     "the normal by the device's sine of an angle up to 2 pi, good to 2^-19, times its radius of up to 6.7"},
    {Quantity::latent_gradient_hardware, 300.0, 0.0, "the recomputed normal, as for the sample"},
    {Quantity::prior_sample_hardware, 300.0, 0.0, "the normal, as for the latent sample"},
    {Quantity::adam_moment, 8.0, 0.0, "two products and a sum"},
    {Quantity::adam_parameter, 8.0, 0.0, "a root, a quotient and two products, relative to the update"},
    {Quantity::batch_mean, 2.0, 2.0, "a sum over the rows"},
    {Quantity::quantization_error, 4.0, 2.0, "rounded differences, squared, and a sum over the columns"},
    {Quantity::codebook_gradient, 4.0, 2.0, "rounded differences and a sum over the code's rows"},
    {Quantity::codebook_average, 8.0, 2.0,
     "a sum over the code's rows, two products, a quotient of rounded counts"},
}};

float from_bits(std::uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}
std::uint32_t to_bits(float value) {
  return __builtin_bit_cast(std::uint32_t, value);
}

}  // namespace

const Tolerance& tolerance_of(Quantity quantity) {
  for (const Tolerance& row : kTable) {
    if (row.quantity == quantity) return row;
  }
  throw std::logic_error("no tolerance for this quantity");
}

std::string compare(const std::vector<float>& actual, const oracle::Graded& expected, Quantity quantity,
                    std::int64_t terms) {
  std::ostringstream out;
  out.precision(9);
  const std::vector<double>& values = expected.value.values;
  if (actual.size() != values.size()) {
    out << actual.size() << " values where " << values.size() << " are expected";
    return out.str();
  }
  const Tolerance& row = tolerance_of(quantity);
  const double units = (row.flat + row.per_root_term * std::sqrt(static_cast<double>(terms))) * 0x1p-24;
  std::size_t bad = 0;
  std::size_t first = 0;
  double worst = 0.0;
  // The smallest normal float: below it single precision has no relative accuracy to be held to.
  const auto allowed = [&](std::size_t i) { return units * expected.magnitude.values[i] + 0x1p-126; };
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = std::fabs(static_cast<double>(actual[i]) - values[i]);
    if (error <= allowed(i)) {
      worst = std::fmax(worst, error / allowed(i));
      continue;
    }
    if (bad++ == 0) first = i;
    worst = std::isnan(error) ? 1e300 : std::fmax(worst, error / allowed(i));
  }
  if (bad == 0) return "";
  const auto cols = static_cast<std::size_t>(expected.value.cols);
  out << bad << " of " << values.size() << " beyond tolerance; first at (" << first / cols << ", "
      << first % cols << "): " << static_cast<double>(actual[first]) << " where the oracle has "
      << values[first] << ", allowed error " << allowed(first) << "; largest error " << worst
      << " times the allowed one (" << row.reason << ")";
  return out.str();
}

std::string compare_bits(const std::vector<float>& a, const std::vector<float>& b) {
  std::ostringstream out;
  out.precision(9);
  if (a.size() != b.size()) {
    out << a.size() << " values against " << b.size();
    return out.str();
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_bits(a[i]) != to_bits(b[i])) {
      out << "first difference at " << i << ": " << a[i] << " against " << b[i];
      return out.str();
    }
  }
  return "";
}

float guard_value() {
  return from_bits(kGuardBits);
}
bool is_guard(float value) {
  return to_bits(value) == kGuardBits;
}

std::string check_guards(const std::vector<float>& block, std::int64_t left, std::int64_t cols,
                         std::int64_t right) {
  const std::int64_t width = left + cols + right;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const std::int64_t column = static_cast<std::int64_t>(i) % width;
    if (column >= left && column < left + cols) continue;
    if (is_guard(block[i])) continue;
    std::ostringstream out;
    out << "guard cell at row " << static_cast<std::int64_t>(i) / width << ", column " << column - left
        << " of the view was overwritten with " << block[i];
    return out.str();
  }
  return "";
}

}  // namespace vaecuda::test
