// Mutual information of single latents and known factors of the data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/evaluate/row_facts.hpp"
#include "vaecuda/evaluate.hpp"

namespace vaecuda {

/// `means` (rows, latents): posterior means, each counted in `bins` bins of equal width. One entry per factor
/// of `facts`; without factors, one for the labels, named "label"; empty without both.
[[nodiscard]] std::vector<FactorFigures> factor_figures(const RowFacts& facts, std::span<const float> means,
                                                        std::int64_t latents, std::int64_t bins);

/// The mean gap over the factors that vary; 0 if none does.
[[nodiscard]] double mean_gap(std::span<const FactorFigures> factors);

}  // namespace vaecuda
