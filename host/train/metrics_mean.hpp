// Means of the step metrics over an interval of a run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "kernels/math/step_state.h"
#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Means over the steps added since the last reset.
class MetricsMean {
 public:
  /// `latent` says what it is that a step adds to the reconstruction.
  void add(const math::StepMetrics& step, LatentKind latent) {
    ++count_;
    reconstruction_ += step.reconstruction;
    if (latent == LatentKind::gaussian) kl_ += step.kl;
    if (latent == LatentKind::vq) {
      if (!quantization_) quantization_ = QuantizationTerms{};
      quantization_->error += step.kl;
      quantization_->perplexity += step.perplexity_mean;
      quantization_->least_perplexity += step.perplexity_min;
    }
    loss_ += step.loss;
    kl_weight_ = step.kl_weight;
    gradient_norm_ += step.gradient_norm;
    lr_ = step.lr;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] LossTerms loss() const {
    LossTerms terms{loss_ / divisor(), reconstruction_ / divisor(), kl_ / divisor(), quantization_};
    if (terms.quantization) {
      terms.quantization->error /= divisor();
      terms.quantization->perplexity /= divisor();
      terms.quantization->least_perplexity /= divisor();
    }
    return terms;
  }
  [[nodiscard]] double gradient_norm() const { return gradient_norm_ / divisor(); }
  /// Of the last step.
  [[nodiscard]] double lr() const { return lr_; }
  [[nodiscard]] double kl_weight() const { return kl_weight_; }

 private:
  [[nodiscard]] double divisor() const { return static_cast<double>(std::max<std::int64_t>(1, count_)); }
  std::int64_t count_ = 0;
  double loss_ = 0.0;
  double reconstruction_ = 0.0;
  double kl_ = 0.0;
  double gradient_norm_ = 0.0;
  double lr_ = 0.0;
  std::optional<QuantizationTerms> quantization_;
  double kl_weight_ = 0.0;
};

}  // namespace vaecuda
