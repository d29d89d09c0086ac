// Where a run begins: with new parameters, with those of a trained model (--init-from), or where the
// checkpoint in its folder stands (--resume).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/data/prepare.hpp"
#include "host/io/folder.hpp"
#include "host/model/layout.hpp"
#include "host/model/model_file.hpp"
#include "host/train/checkpoint.hpp"
#include "host/train/run_identity.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

using Say = std::function<void(const std::string&)>;  ///< gets warnings and notes, one line each

struct StartingPoint {
  /// Of a run that goes on; absent where it begins, also where its first checkpoint was never reached.
  std::optional<Checkpoint> checkpoint;
  /// Of --init-from: its view of the data holds, and its parameters where there is no checkpoint.
  std::optional<ModelFile> model;
  std::optional<OlderScale> older_scale;  ///< of a checkpoint by an older version
  std::shared_ptr<const Folder> held;     ///< of a run that is resumed: its folder, locked
};

/// Reads it and checks that the configuration may begin there; where a new run writes, that nothing is lost.
/// \throws ConfigError, FileError as Trainer's constructor
[[nodiscard]] StartingPoint find_starting_point(RunConfig& config, Start start, const Say& say);

/// The arena of a run without a checkpoint.
[[nodiscard]] std::vector<float> initial_parameters(const StartingPoint& from, const ParameterLayout& layout,
                                                    const RunConfig& config, const PreparedData& data);
/// Adam's second moments of such a run.
[[nodiscard]] std::vector<float> initial_moment2(const ParameterLayout& layout,
                                                 const OptimizerConfig& optimizer);

// What a run that starts from a trained model (--init-from) takes from it, and what must agree.

/// Rows meet the model by the names of its columns and by its scale. `path` names it in messages.
[[nodiscard]] DataView view_of(const ModelFile& start, const std::string& path);
/// A model that is trained on keeps its own view of the data, or its weights would mean something else.
/// \throws ConfigError where standardization is asked for and the model has none, or the other way round
[[nodiscard]] Preparation preparation_for(const RunConfig& config, const Preparation& from_data,
                                          const ModelFile& start);
/// \throws ConfigError naming the first option of the model that differs
void require_same_model(const RunConfig& config, const ModelFile& start);

}  // namespace vaecuda
