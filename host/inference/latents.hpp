// Latents by formula: drawn from the prior, and its quantiles. Paths and grids are in the public API
// (vaecuda/vae.hpp) and implemented here as well.
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

}  // namespace vaecuda
