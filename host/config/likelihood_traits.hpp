// Properties of a likelihood from its functor (kernels/math/likelihood.h). No other code asks for the
// likelihood (tests/lint/check_kinds.sh).
#pragma once

#include <cstdint>

#include "kernels/math/likelihood.h"
#include "vaecuda/config.hpp"
#include "vaecuda/likelihood.hpp"

namespace vaecuda {

[[nodiscard]] math::LikelihoodKind kind_of(Likelihood likelihood);

/// Number of planes of D columns in the decoder's output: one for the mean, and with --sigma head one for σ.
[[nodiscard]] std::int64_t output_planes(const ModelConfig& model);

/// Whether σ is a number from the configuration.
[[nodiscard]] bool has_given_sigma(const ModelConfig& model);

}  // namespace vaecuda
