// Means of p(x|z) in the units of the data: the way back through a model's preparation.
#pragma once

#include <span>

#include "host/data/preparation.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda {

/// rows (n, D) from prepared units to those of the raw data, in place: (x / inverse_deviation + mean) /
/// scale. Means of a Bernoulli likelihood stay inside [0, 1] when they are prepared again.
void to_data_units(std::span<float> rows, const Preparation& preparation, Likelihood likelihood);

/// Standardized values back to scaled ones alone, in place: pictures of bytes lie in [0, 1] then.
void undo_standardization(std::span<float> rows, const Preparation& preparation);

}  // namespace vaecuda
