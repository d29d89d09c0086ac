// A likelihood by its functor (kernels/math/likelihood.h). Nobody else asks which one it is
// (tests/lint/check_kinds.sh).
#pragma once

#include <cstdint>

#include "kernels/math/likelihood.h"
#include "vaecuda/config.hpp"
#include "vaecuda/likelihood.hpp"

namespace vaecuda {

[[nodiscard]] math::LikelihoodKind kind_of(Likelihood likelihood);

/// Planes of D columns that the decoder gives: what the mean is made of, and with --sigma head what σ is made
/// of.
[[nodiscard]] std::int64_t output_planes(const ModelConfig& model);

/// Whether σ is a number that the configuration gives.
[[nodiscard]] bool has_given_sigma(const ModelConfig& model);

}  // namespace vaecuda
