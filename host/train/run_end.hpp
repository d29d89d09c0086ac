// What follows the last step: the figures and the pictures of the model that was chosen.
#pragma once

#include "host/train/run_folder.hpp"
#include "host/train/run_setup.hpp"
#include "host/train/training_loop.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Puts the best parameters into the store, tests them, draws the pictures into the folder. After a stop
/// request, before or in the midst of it, the figures alone that are there.
[[nodiscard]] TrainSummary end_run(RunSetup& setup, RunFolder& folder, const TrainingLoop& loop,
                                   const TrainObserver& observer);

}  // namespace vaecuda
