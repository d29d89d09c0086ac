// Whether a run that goes on is the run that began.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "host/train/checkpoint.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda {

/// The options that a resumed run must not change and that have an effect in it, as text.
[[nodiscard]] std::map<std::string, std::string, std::less<>> fixed_options(const RunConfig& config);

/// The scale of a run whose checkpoint says `auto` or `unit`: those of older versions, in which bytes were
/// always divided by 255.
struct OlderScale {
  ScaleMode began = ScaleMode::automatic;
  ScaleMode asked = ScaleMode::automatic;  ///< of the configuration that is resumed with
};
/// Takes it from the checkpoint's options and the configuration, which then agree; the answer is known once
/// the rows are. Empty for a run that keeps the answer.
[[nodiscard]] std::optional<OlderScale> take_older_scale(RunConfig& config, RunIdentity& began);
/// \throws ConfigError if `config`, which has the answer, is not what was asked for
void require_same_scale(const OlderScale& scale, const RunConfig& config);

/// \throws ConfigError naming the first option that differs from the checkpoint's; FileError if the
/// checkpoint holds an option that this version does not know
void require_same_options(const RunConfig& config, const RunIdentity& began);

}  // namespace vaecuda
