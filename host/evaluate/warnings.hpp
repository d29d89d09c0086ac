// What shows that a model knows little of the rows it is asked about. docs/evaluation.md, "Warnings", has the
// thresholds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vaecuda/config.hpp"

namespace vaecuda {

/// A latent whose KL to the prior is below so many nats says nothing of a row.
inline constexpr double kCollapsedKl = 0.1;
/// Standard deviations of the likelihood from what the decoder gives: nothing that training could have
/// reached.
inline constexpr double kFarDeviations = 10.0;
/// The nats of a value that lies so far.
inline constexpr double kFarNats = 0.5 * kFarDeviations * kFarDeviations;

/// The line about a posterior that has collapsed to the prior in every latent; empty where it has not, or
/// where the objective asks for no more. `kl`: of all latents, mean over rows, nats. `held`: how many of them
/// are not below the threshold; where that is not known, their sum must be below it.
[[nodiscard]] std::string collapse_warning(const ModelConfig& model, const ObjectiveConfig& objective,
                                           double kl, std::optional<std::int64_t> held);

}  // namespace vaecuda
