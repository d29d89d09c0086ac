// Means of the step metrics over an interval of a run.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/math/step_state.h"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Means over the steps added since the last reset.
class MetricsMean {
 public:
  /// `has_kl`: what a step adds to the reconstruction is a KL divergence, not another penalty.
  void add(const math::StepMetrics& step, bool has_kl) {
    ++count_;
    reconstruction_ += step.reconstruction;
    if (has_kl) kl_ += step.kl;
    loss_ += step.reconstruction + step.kl_weight * step.kl;
    gradient_norm_ += step.gradient_norm;
    lr_ = step.lr;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] LossTerms loss() const {
    return {loss_ / divisor(), reconstruction_ / divisor(), kl_ / divisor()};
  }
  [[nodiscard]] double gradient_norm() const { return gradient_norm_ / divisor(); }
  [[nodiscard]] double lr() const { return lr_; }

 private:
  [[nodiscard]] double divisor() const { return static_cast<double>(std::max<std::int64_t>(1, count_)); }
  std::int64_t count_ = 0;
  double loss_ = 0.0;
  double reconstruction_ = 0.0;
  double kl_ = 0.0;
  double gradient_norm_ = 0.0;
  double lr_ = 0.0;
};

}  // namespace vaecuda
