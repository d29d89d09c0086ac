// Properties of a likelihood from its functor (kernels/math/likelihood.h). No other code asks for the
// likelihood (tests/lint/check_kinds.sh).
#pragma once

#include <cstdint>

#include "kernels/math/likelihood.h"
#include "vaecuda/config.hpp"
#include "vaecuda/likelihood.hpp"

namespace vaecuda {

[[nodiscard]] math::LikelihoodKind kind_of(Likelihood likelihood);

/// Number of planes of D columns in the decoder's output: one for the mean or the rate, and one for each of
/// σ, θ and a zero logit that comes from there.
[[nodiscard]] std::int64_t output_planes(const ModelConfig& model);

/// Parameters log θ of the model: one, one for each column, or none.
[[nodiscard]] std::int64_t dispersion_parameters(const ModelConfig& model);

/// Of counts: whether a row's rates are shares that sum to 1, and whether they are multiplied by the row's
/// sum; both are so of a multinomial.
[[nodiscard]] bool rates_are_shares(const ModelConfig& model);
[[nodiscard]] bool rates_have_row_sum(const ModelConfig& model);

/// Whether σ is a number from the configuration.
[[nodiscard]] bool has_given_sigma(const ModelConfig& model);

}  // namespace vaecuda
