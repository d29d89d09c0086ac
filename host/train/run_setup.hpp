// What a run stands on before its first step: data, device, parameters and compiled plans.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/data/prepare.hpp"
#include "host/io/folder.hpp"
#include "host/model/layout.hpp"
#include "host/model/model_file.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/builder.hpp"
#include "host/train/checkpoint.hpp"
#include "host/train/evaluator.hpp"
#include "host/train/training_state.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Construction reads and checks everything and allocates all memory; nothing is written to disk.
struct RunSetup {
  using Say = std::function<void(const std::string&)>;  ///< gets warnings and notes, one line each

  RunConfig config;  ///< every open question answered: sizes, absolute paths, the length of the run
  PreparedData data;
  std::int64_t total_steps = 0;
  std::int64_t total_epochs = 0;  ///< 0: bounded by steps alone
  std::unique_ptr<Backend> backend;
  ParameterLayout layout;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<ResidentData> resident;
  Plan plan;
  std::unique_ptr<Program> program;
  std::unique_ptr<Evaluator> validation;  ///< null where no rows are held out
  RunIdentity identity;
  TrainingState first;                 ///< where the run begins or goes on
  std::shared_ptr<const Folder> held;  ///< of a run that is resumed: its folder, locked

  /// `rows`: instead of what the configuration's paths name. \throws as Trainer's constructor
  RunSetup(RunConfig asked, std::optional<RunData> rows, const Say& say, Start start);

  /// The step that ends epoch e.
  [[nodiscard]] std::int64_t epoch_end(std::int64_t epoch) const;
  /// Whether an epoch ends with this step, the count of steps done; in a resumed run with B > N it may end
  /// several.
  [[nodiscard]] bool ends_epoch(std::int64_t step) const { return step == epoch_end(epochs_done(step)); }
  /// Epochs that the first `step` steps complete.
  [[nodiscard]] std::int64_t epochs_done(std::int64_t step) const;
  /// The model of this step as a file holds it, but for its parameters.
  [[nodiscard]] ModelFile model_file(std::int64_t step) const;
  /// What the device has now.
  [[nodiscard]] std::vector<float> read(ParameterStore::Part part) const;
  /// All that a run in this state needs to go on.
  [[nodiscard]] Checkpoint checkpoint(const TrainingState& state) const;
  /// Puts the device where the checkpoint stands, with the learning rate lowered for its restores.
  void restore(const Checkpoint& checkpoint);
  /// \throws DivergedError if the program met something that is not finite
  void check_fault() const;

 private:
  void prepare(std::optional<RunData> rows, const Say& say, const ModelFile* start, bool scale_by_type);
  void fit_batch(const Say& say);
  void choose_length();
  [[nodiscard]] Plan training_plan(std::int64_t restores) const;
  void allocate(std::int64_t restores);
  void compile(std::int64_t restores);
  void release();
  /// After a lack of memory, nothing being allocated: which batch size would do.
  [[nodiscard]] std::string advise_batch();
  [[nodiscard]] RunIdentity identify() const;
  void require_same_run(const Checkpoint& from, const Say& say) const;

  std::int64_t restores_ = 0;  ///< that the program's learning rate is lowered for
};

}  // namespace vaecuda
