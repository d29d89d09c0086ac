// What single latents tell about known factors of the data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaecuda/dataset.hpp"
#include "vaecuda/evaluate.hpp"

namespace vaecuda {

/// `means` (rows, latents): posterior means, counted in `bins` bins of equal width each. One entry per factor
/// of `data`; where it has none, one for its labels, called "label"; empty without both.
[[nodiscard]] std::vector<FactorFigures> factor_figures(const Dataset& data, std::span<const float> means,
                                                        std::int64_t latents, std::int64_t bins);

/// The mean gap over the factors that vary; 0 if none does.
[[nodiscard]] double mean_gap(std::span<const FactorFigures> factors);

}  // namespace vaecuda
