// Latents by formula: drawn from the prior, on a path between two, on the grid of the prior's quantiles.
#pragma once

#include <cstdint>
#include <vector>

namespace vaecuda {

/// The standard normal's quantile; `probability` in (0, 1).
[[nodiscard]] double normal_quantile(double probability);

/// z (count, latent_dim) ~ N(0, temperature²) of rows first … first + count − 1, by (seed, prior, row,
/// column).
[[nodiscard]] std::vector<float> draw_prior(std::int64_t first, std::int64_t count, std::int64_t latent_dim,
                                            std::uint64_t seed, double temperature);

/// Latents (side², latent_dim) over the plane of two dimensions, zero in the others: row by row from the top,
/// `across` growing to the right and `up` upwards, at the quantiles (i + ½) / side of the prior, so that
/// every cell stands for equal probability (Kingma and Welling, arXiv 1312.6114, figure 4).
[[nodiscard]] std::vector<float> prior_grid(std::int64_t side, std::int64_t latent_dim, std::int64_t across,
                                            std::int64_t up);

}  // namespace vaecuda
