// Latents by formula: drawn from the prior, and its quantiles. Paths and grids are in the public API
// (vaecuda/vae.hpp) and implemented here as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "host/plan/op.hpp"
#include "kernels/math/philox.h"
#include "vaecuda/config.hpp"

namespace vaecuda {

/// An empty vector with room for rows × width values. \throws OutOfMemoryError naming `what` and how many
[[nodiscard]] std::vector<float> room_for(std::int64_t rows, std::int64_t width, std::string_view what);

/// The standard normal's quantile; `probability` in (0, 1).
[[nodiscard]] double normal_quantile(double probability);

/// \throws ConfigError for a draw that a model cannot make: without a prior, of a negative count, at a
/// temperature that is none
void check_draw(const ModelConfig& model, std::int64_t count, double temperature);

/// Calls use(column, number) for a row's `count` standard normal numbers, by (seed, purpose, row, column).
template <typename Use>
void for_each_normal(std::uint64_t seed, std::int64_t row, math::RandomPurpose purpose, std::size_t count,
                     Use&& use) {
  for (std::size_t column = 0; column < count; column += 4) {
    const math::Philox4 bits =
        math::philox(seed, static_cast<std::uint64_t>(row), math::random_block(purpose, column));
    const math::NormalPair low = math::normal_pair(bits.v[0], bits.v[1]);
    const math::NormalPair high = math::normal_pair(bits.v[2], bits.v[3]);
    const float normals[4] = {low.first, low.second, high.first, high.second};
    for (std::size_t i = 0; i < 4 && column + i < count; ++i) use(column + i, normals[i]);
  }
}

/// z (count, latent_dim) ~ N(0, temperature²) of rows first … first + count − 1, by (seed, prior, row,
/// column).
[[nodiscard]] std::vector<float> draw_prior(std::int64_t first, std::int64_t count, std::int64_t latent_dim,
                                            std::uint64_t seed, double temperature);

/// Latents (count, G·L) of rows first … first + count − 1 of a quantized latent: from each codebook a code,
/// all alike, by (seed, prior, row, codebook). `parameters`: the arena.
[[nodiscard]] std::vector<float> draw_codes(std::int64_t first, std::int64_t count,
                                            const CodebookParameters& codebook,
                                            std::span<const float> parameters, std::uint64_t seed);

}  // namespace vaecuda
