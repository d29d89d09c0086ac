// Information between latents and known factors, from counts; and between latents and rows, from the
// posteriors. All in nats.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaecuda/evaluate.hpp"

namespace vaecuda {

/// The bin (0 … bins − 1) of every value: equal widths from the smallest to the largest, which belongs to the
/// last bin. If all values are equal, they are in bin 0; so are values that are not finite.
[[nodiscard]] std::vector<std::int32_t> equal_width_bins(std::span<const float> values, std::int64_t bins);

/// Entropy of the relative frequencies of `values` (each 0 or more).
[[nodiscard]] double entropy(std::span<const std::int32_t> values);

/// I(a; b) of the relative frequencies of the pairs (a_i, b_i), each 0 or more. It is the plug-in estimate:
/// too high by about (values of a − 1)(values of b − 1) / (2 n) on average. Never negative.
[[nodiscard]] double mutual_information(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

/// Posteriors of rows.
struct Posteriors {
  std::int64_t rows = 0;
  std::int64_t latents = 0;
  std::span<const float> mean;    ///< (rows, latents)
  std::span<const float> logvar;  ///< (rows, latents)
};

/// I(x; z) with one z per row, the z that Vae::elbo decodes for this seed:
///   1/M Σ_i [log q(z_i|x_i) − log 1/M Σ_m q(z_i|x_m)],   marginal_kl = mean KL − information,
/// over the M = min(rows, most_rows) rows ⌊i·rows/M⌋. M²·Z steps.
[[nodiscard]] AggregateFigures aggregate_information(const Posteriors& posteriors, std::uint64_t seed,
                                                     std::int64_t most_rows);

}  // namespace vaecuda
