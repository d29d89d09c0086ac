// The steps of a run: metrics, epochs, the best model, progress and saves.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/train/metrics_mean.hpp"
#include "host/train/run_folder.hpp"
#include "host/train/run_setup.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// The model that the validation rows chose.
struct BestModel {
  LossTerms valid;
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  std::vector<float> parameters;
};

/// What a run knows beside its parameters.
struct TrainingState {
  std::int64_t step = 0;
  MetricsMean line_mean;   ///< of the line of metrics.jsonl that this step belongs to
  MetricsMean epoch_mean;  ///< of the epoch that this step belongs to
  std::optional<BestModel> best;
  bool stopped_early = false;  ///< by patience
  double seconds = 0.0;        ///< spent in training steps
};

class TrainingLoop {
 public:
  /// All must outlive the loop.
  TrainingLoop(RunSetup& setup, RunFolder& folder, const TrainObserver& observer);

  /// Runs until the last step, until patience ends the run, or until the observer asks to stop; then saves.
  /// \throws DivergedError, RuntimeError
  void run();
  [[nodiscard]] const TrainingState& state() const { return state_; }

 private:
  using Clock = std::chrono::steady_clock;

  void run_steps();
  void end_epoch();
  void log_line();
  void report(const LossTerms& loss);
  void save();
  /// Whether a line of metrics.jsonl ends after this step, whatever the length of the run.
  [[nodiscard]] bool ends_line(std::int64_t step) const;
  [[nodiscard]] bool patience_is_over() const;

  RunSetup& setup_;
  RunFolder& folder_;
  const TrainObserver& observer_;
  TrainingState state_;
  MetricsMean shown_mean_;  ///< since the last progress call
  std::int64_t chunk_ = 1;  ///< steps to run at a time
  double shown_at_ = 0.0;   ///< seconds at the last progress call
  Clock::time_point saved_at_;
  std::vector<math::StepMetrics> fresh_;
  // Of the boundary that has just been reached:
  bool epoch_ended_ = false;
  bool improved_ = false;
  std::optional<LossTerms> valid_;
};

}  // namespace vaecuda
