// Rankings by the device of a model, for the library's own figures.
#pragma once

#include <cstdint>
#include <span>

#include "host/plan/rankings.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

/// ROC AUC and average precision, as roc_auc and average_precision have them. \throws as they do
[[nodiscard]] ClassSeparation separate(const Vae& vae, std::span<const float> scores,
                                       std::span<const std::uint8_t> positive);

}  // namespace vaecuda
