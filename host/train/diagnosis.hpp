// What the length of a run shows to be wrong with it before it begins, and its end behind it.
// docs/evaluation.md, "Warnings", has the thresholds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/data/prepare.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Schedules that a run of so many steps over so many rows ends before: what of them has no effect, one line
/// each. `config` has the run's batch size.
[[nodiscard]] std::vector<std::string> doubt_schedules(const RunConfig& config, std::int64_t rows,
                                                       std::int64_t steps);

/// The losses that a run ended with.
struct Outcome {
  std::int64_t steps = 0;
  LossTerms train;                 ///< mean over the last epoch's steps
  std::optional<LossTerms> valid;  ///< of the best model
  std::optional<LossTerms> test;
};

/// One line each with its remedy: a posterior or codebooks that collapsed, a loss not below that of
/// ColumnModel, values out of reach of a fixed σ, a loss that is not finite. Judged on validation rows, else
/// on test rows, else on the training rows. `config` must be the run's own, with all sizes in it.
[[nodiscard]] std::vector<std::string> diagnose(const RunConfig& config, const PreparedData& data,
                                                const Outcome& outcome);

}  // namespace vaecuda
