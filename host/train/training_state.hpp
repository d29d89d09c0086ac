// What a run knows beside its parameters, and changes from step to step.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/train/metrics_mean.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

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
