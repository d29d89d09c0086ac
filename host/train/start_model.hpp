// What a run that starts from a trained model (--init-from) takes from it, and what must agree.
#pragma once

#include <string>

#include "host/data/prepare.hpp"
#include "host/model/model_file.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda {

/// Rows meet the model by the names of its columns and by its scale. `path` names it in messages.
[[nodiscard]] DataView view_of(const ModelFile& start, const std::string& path);

/// A model that is trained on keeps its own view of the data, or its weights would mean something else.
/// \throws ConfigError where standardization is asked for and the model has none, or the other way round
[[nodiscard]] Preparation preparation_for(const RunConfig& config, const Preparation& from_data,
                                          const ModelFile& start);

/// A run that goes on does not read the model that it began with, and its record still names that one.
/// \throws ConfigError where `config` has another than the run in its folder
void require_same_start(const RunConfig& config);

/// \throws ConfigError where a scale is asked for that is not the model's
void require_same_scale(const RunConfig& config, const ModelFile& start);

/// \throws ConfigError naming the first option of the model that differs
void require_same_model(const RunConfig& config, const ModelFile& start);

}  // namespace vaecuda
