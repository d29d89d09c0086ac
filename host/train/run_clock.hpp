// Steps and epochs of a run: how far it is at a step.
#pragma once

#include <cstdint>

namespace vaecuda {

/// A pure function of the training rows, the batch size and the length.
struct RunClock {
  std::int64_t rows = 1;   ///< N
  std::int64_t batch = 1;  ///< B
  std::int64_t total_steps = 0;
  std::int64_t total_epochs = 0;  ///< 0: bounded by steps alone

  /// The step that ends epoch e.
  [[nodiscard]] std::int64_t epoch_end(std::int64_t epoch) const {
    return (epoch * rows + batch - 1) / batch;
  }
  /// Epochs that the first `step` steps complete.
  [[nodiscard]] std::int64_t epochs_done(std::int64_t step) const { return step * batch / rows; }
  /// Whether an epoch ends with this step, the count of steps done; in a resumed run with B > N it may end
  /// several.
  [[nodiscard]] bool ends_epoch(std::int64_t step) const { return step == epoch_end(epochs_done(step)); }
  /// Rows that the first `step` steps take.
  [[nodiscard]] double rows_done(std::int64_t step) const {
    return static_cast<double>(step) * static_cast<double>(batch);
  }
  /// Epochs, with the share of the one that has begun.
  [[nodiscard]] double epoch(std::int64_t step) const { return rows_done(step) / static_cast<double>(rows); }
};

}  // namespace vaecuda
