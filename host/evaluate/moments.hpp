// Mean and variance of a sequence of numbers (Welford, Technometrics 4, 1962): stable for a mean that is
// large compared with the deviation; the result depends only on the order.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "vaecuda/evaluate.hpp"

namespace vaecuda {

class Moments {
 public:
  /// A number that is not finite makes all results infinite.
  void add(double value) {
    ++count_;
    if (!std::isfinite(value)) {
      mean_ = squares_ = std::numeric_limits<double>::infinity();
      endless_ = true;
    }
    if (endless_) return;
    const double before = value - mean_;
    mean_ += before / static_cast<double>(count_);
    squares_ += before * (value - mean_);
  }
  [[nodiscard]] double mean() const { return mean_; }
  /// Variance of the numbers themselves: squared deviations over their count.
  [[nodiscard]] double variance() const { return count_ > 0 ? squares_ / static_cast<double>(count_) : 0.0; }
  [[nodiscard]] Estimate estimate() const {
    if (count_ < 2) return {mean_, 0.0};
    const auto n = static_cast<double>(count_);
    return {mean_, std::sqrt(squares_ / (n - 1.0) / n)};
  }

 private:
  std::int64_t count_ = 0;
  double mean_ = 0.0;
  double squares_ = 0.0;  ///< Σ (value − mean)²
  bool endless_ = false;  ///< a number was not finite
};

}  // namespace vaecuda
