// Means of the step metrics over an interval of a run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "kernels/math/step_state.h"
#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Sums over steps, which a checkpoint keeps to the last bit.
struct MetricsSums {
  std::int64_t count = 0;
  double loss = 0.0;
  double reconstruction = 0.0;
  double kl = 0.0;
  double gradient_norm = 0.0;
  double lr = 0.0;                                ///< of the last step
  double kl_weight = 0.0;                         ///< of the last step
  std::optional<QuantizationTerms> quantization;  ///< quantized latent only
};

/// Means over the steps added since the last reset.
class MetricsMean {
 public:
  MetricsMean() = default;
  explicit MetricsMean(const MetricsSums& sums) : sums_(sums) {}
  [[nodiscard]] const MetricsSums& sums() const { return sums_; }
  /// `latent` says what it is that a step adds to the reconstruction.
  void add(const math::StepMetrics& step, LatentKind latent) {
    ++sums_.count;
    sums_.reconstruction += step.reconstruction;
    if (latent == LatentKind::gaussian) sums_.kl += step.kl;
    if (latent == LatentKind::vq) {
      if (!sums_.quantization) sums_.quantization = QuantizationTerms{};
      sums_.quantization->error += step.kl;
      sums_.quantization->perplexity += step.perplexity_mean;
      sums_.quantization->least_perplexity += step.perplexity_min;
    }
    sums_.loss += step.loss;
    sums_.gradient_norm += step.gradient_norm;
    sums_.lr = step.lr;
    sums_.kl_weight = step.kl_weight;
  }
  [[nodiscard]] bool empty() const { return sums_.count == 0; }
  [[nodiscard]] LossTerms loss() const {
    LossTerms terms{sums_.loss / divisor(), sums_.reconstruction / divisor(), sums_.kl / divisor(),
                    sums_.quantization};
    if (terms.quantization) {
      terms.quantization->error /= divisor();
      terms.quantization->perplexity /= divisor();
      terms.quantization->least_perplexity /= divisor();
    }
    return terms;
  }
  [[nodiscard]] double gradient_norm() const { return sums_.gradient_norm / divisor(); }
  /// Of the last step.
  [[nodiscard]] double lr() const { return sums_.lr; }
  [[nodiscard]] double kl_weight() const { return sums_.kl_weight; }

 private:
  [[nodiscard]] double divisor() const { return static_cast<double>(std::max<std::int64_t>(1, sums_.count)); }
  MetricsSums sums_;
};

}  // namespace vaecuda
