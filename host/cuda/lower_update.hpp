// The end of a training step as launches: the gradient norm, the update, and what the next step starts from.
#pragma once

#include "host/cuda/op_launches.hpp"

namespace vaecuda::cuda {

/// \throws std::logic_error without an update
[[nodiscard]] kernels::GradNormArgs args_of(const GradNorm& op, const OpLaunches& at);
/// With the update, whose last block ends the step. \throws std::logic_error for parameters without moments
[[nodiscard]] kernels::UpdateArgs args_of(const AdvanceStep& op, const OpLaunches& at);

}  // namespace vaecuda::cuda
