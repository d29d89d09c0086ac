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

}  // namespace vaecuda
