// What a run stands on before its first step: configuration, data, and a session on the device.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "host/data/prepare.hpp"
#include "host/io/folder.hpp"
#include "host/model/model_file.hpp"
#include "host/train/checkpoint.hpp"
#include "host/train/run_clock.hpp"
#include "host/train/session.hpp"
#include "host/train/starting_point.hpp"
#include "host/train/training_state.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Construction reads and checks everything and allocates all memory; nothing is written to disk.
struct RunSetup {
  RunConfig config;  ///< every open question answered: sizes, absolute paths, the length of the run
  PreparedData data;
  RunClock clock;
  std::unique_ptr<Session> session;
  RunIdentity identity;
  TrainingState first;                 ///< where the run begins or goes on
  std::shared_ptr<const Folder> held;  ///< of a run that is resumed: its folder, locked

  /// `rows`: instead of what the configuration's paths name. \throws as Trainer's constructor
  RunSetup(RunConfig asked, std::optional<RunData> rows, const Say& say, Start start);

  /// The model of this step as a file holds it, but for its parameters.
  [[nodiscard]] ModelFile model_file(std::int64_t step) const;
  /// All that a run in this state needs to go on.
  [[nodiscard]] Checkpoint checkpoint(const TrainingState& state) const;

 private:
  /// Gives the training rows where the device keeps a copy of them, which has been measured there.
  std::unique_ptr<ResidentData> prepare(std::optional<RunData> rows, const Say& say,
                                        const StartingPoint& from, Backend& backend);
  void adopt_view(const ModelFile& model, const ValueStatistics* values, const Say& say);
  void fit_batch(const Say& say);
  void choose_length();
  [[nodiscard]] RunIdentity identify() const;
  void require_same_run(const Checkpoint& checkpoint, const Say& say) const;
};

}  // namespace vaecuda
