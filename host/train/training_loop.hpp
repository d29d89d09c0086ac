// The steps of a run: metrics, epochs, the best model, progress and checkpoints.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/train/run_folder.hpp"
#include "host/train/run_setup.hpp"
#include "host/train/training_state.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

class TrainingLoop {
 public:
  /// All must outlive the loop.
  TrainingLoop(RunSetup& setup, RunFolder& folder, const TrainObserver& observer);

  /// Runs until the last step, until patience ends the run, or until the observer asks to stop; then saves.
  /// \throws DivergedError, RuntimeError
  void run();
  [[nodiscard]] const TrainingState& state() const { return state_; }
  /// By the observer.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] bool stopped_early() const;

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool goes_on() const;
  [[nodiscard]] bool stop_asked() const;
  [[nodiscard]] bool run_steps();
  void take(const math::StepMetrics& metrics);
  void end_boundary();
  [[nodiscard]] bool evaluate();
  void log_line();
  void report(const LossTerms& loss);
  void save();
  void go_back();
  [[nodiscard]] bool is_checkpoint_due() const;
  /// Whether a line of metrics.jsonl ends after this step, whatever the length of the run.
  [[nodiscard]] bool ends_line(std::int64_t step) const;
  /// Removes from the logs what the run in this state has not written.
  void cut_logs();

  RunSetup& setup_;
  RunFolder& folder_;
  const TrainObserver& observer_;
  TrainingState state_;
  bool stopped_ = false;
  MetricsMean shown_mean_;  ///< since the last progress call
  std::int64_t chunk_ = 1;  ///< steps to run at a time
  bool told_of_long_steps_ = false;
  double shown_at_ = 0.0;  ///< seconds at the last progress call
  Clock::time_point saved_at_;
  std::int64_t saved_step_ = -1;  ///< of the last save by this process
  std::vector<math::StepMetrics> fresh_;
  // Of the boundary that has just been reached:
  bool improved_ = false;
  std::optional<LossTerms> valid_;
};

}  // namespace vaecuda
