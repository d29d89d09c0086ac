// Warnings that a model describes the given rows badly. docs/evaluation.md, "Warnings", has the thresholds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vaecuda/config.hpp"

namespace vaecuda {

/// A latent with a KL to the prior below this many nats carries no information on a row.
inline constexpr double kCollapsedKl = 0.1;
/// Standard deviations of the likelihood between a value and the decoded mean beyond which the model cannot
/// have been trained on such rows.
inline constexpr double kFarDeviations = 10.0;
/// Nats of a value at that distance.
inline constexpr double kFarNats = 0.5 * kFarDeviations * kFarDeviations;

/// The warning of a posterior that has collapsed to the prior in every latent; empty if it has not, or if the
/// objective requires no more KL. `kl`: of all latents, mean over rows, nats. `held`: number of latents not
/// below the threshold; if unknown, the sum over latents must be below it.
[[nodiscard]] std::string collapse_warning(const ModelConfig& model, const ObjectiveConfig& objective,
                                           double kl, std::optional<std::int64_t> held);

}  // namespace vaecuda
