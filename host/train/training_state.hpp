// What a run knows beside its parameters, and changes from step to step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/math/step_state.h"
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
  double loss_weight = 0.0;                       ///< of the last step
  std::optional<QuantizationTerms> quantization;  ///< quantized latent only
};

/// Means over the steps added since the last reset.
class MetricsMean {
 public:
  MetricsMean() = default;
  explicit MetricsMean(const MetricsSums& sums) : sums_(sums) {}
  [[nodiscard]] const MetricsSums& sums() const { return sums_; }
  void add(const math::StepMetrics& step) {
    ++sums_.count;
    sums_.reconstruction += math::mean_of(step.means, math::LossTermKind::reconstruction);
    sums_.kl += math::mean_of(step.means, math::LossTermKind::kl);
    if (math::has_term(step.means, math::LossTermKind::quantization_error)) {
      if (!sums_.quantization) sums_.quantization = QuantizationTerms{};
      sums_.quantization->error += math::mean_of(step.means, math::LossTermKind::quantization_error);
      sums_.quantization->perplexity += step.perplexity_mean;
      sums_.quantization->least_perplexity += step.perplexity_min;
    }
    sums_.loss += step.loss;
    sums_.gradient_norm += step.gradient_norm;
    sums_.lr = step.lr;
    sums_.loss_weight = step.loss_weight;
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
  [[nodiscard]] double loss_weight() const { return sums_.loss_weight; }

 private:
  [[nodiscard]] double divisor() const { return static_cast<double>(std::max<std::int64_t>(1, sums_.count)); }
  MetricsSums sums_;
};

/// The model that the validation rows chose.
struct BestModel {
  LossTerms valid;
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  std::vector<float> parameters;  ///< arena
};

/// All of it but the seconds is a pure function of configuration, data and step.
struct TrainingState {
  std::int64_t step = 0;
  MetricsMean line_mean;   ///< of the line of metrics.jsonl that this step belongs to
  MetricsMean epoch_mean;  ///< of the epoch that this step belongs to
  std::optional<BestModel> best;
  bool boundary_open = false;       ///< a stop came before the epoch's end was evaluated and logged
  std::int64_t skipped = 0;         ///< steps without an update
  std::int64_t skipped_in_row = 0;  ///< the last of them
  std::int64_t restores = 0;
  double seconds = 0.0;  ///< spent in training steps
};

}  // namespace vaecuda
