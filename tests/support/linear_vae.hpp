// A VAE whose likelihood has a closed form: x = w z + b + σ·noise with one latent (factor analysis), and an
// encoder that is exact, or wrong by a known amount.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/model/model_file.hpp"

namespace vaecuda::test {

class LinearVae {
 public:
  static constexpr int kColumns = 3;

  /// The encoder's posterior mean is off by `shift`, its variance by the factor `widening`; 0 and 1: exact.
  LinearVae(double shift, double widening) : shift_(shift), widening_(widening) {}

  [[nodiscard]] ModelFile file() const;
  /// Rows drawn from the model itself, by a generator of this file's own.
  [[nodiscard]] static std::vector<float> draw_rows(std::int64_t rows, std::uint32_t seed);

  // Of one row (kColumns values), in double precision.
  /// −log p(x), the covariance inverted by Sherman and Morrison.
  [[nodiscard]] static double exact_nll(std::span<const float> x);
  [[nodiscard]] double posterior_mean(std::span<const float> x) const;
  [[nodiscard]] double posterior_variance() const;
  [[nodiscard]] double kl(std::span<const float> x) const;
  /// The expectation of −log p(x|z) under the encoder's posterior.
  [[nodiscard]] double reconstruction(std::span<const float> x) const;
  /// Mean squared error of the reconstruction from the posterior mean.
  [[nodiscard]] double squared_error(std::span<const float> x) const;

 private:
  double shift_;
  double widening_;
};

}  // namespace vaecuda::test
