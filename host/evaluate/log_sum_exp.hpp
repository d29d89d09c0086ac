// log Σ e^x of a sequence of numbers, without overflow, and without underflow of the largest.
#pragma once

#include <cmath>
#include <limits>

namespace vaecuda {

class LogSumExp {
 public:
  void add(double x) {
    if (std::isinf(x) && x < 0.0) return;  // e^−∞ adds nothing
    if (x <= greatest_) {
      sum_ += std::exp(x - greatest_);
    } else {
      sum_ = sum_ * std::exp(greatest_ - x) + 1.0;  // for the first one: 0 · e^−∞ + 1
      greatest_ = x;
    }
  }
  /// −∞ without numbers.
  [[nodiscard]] double value() const { return greatest_ + std::log(sum_); }

 private:
  double greatest_ = -std::numeric_limits<double>::infinity();
  double sum_ = 0.0;
};

}  // namespace vaecuda
