// Quantized latents and their codebooks as launches.
#pragma once

#include "host/cuda/op_launches.hpp"

namespace vaecuda::cuda {

[[nodiscard]] kernels::VectorQuantizeArgs args_of(const VectorQuantize& op, const OpLaunches& at);
[[nodiscard]] kernels::VectorQuantizeBackwardArgs args_of(const VectorQuantizeBackward& op,
                                                          const OpLaunches& at);
/// \throws std::logic_error outside of a training step
[[nodiscard]] kernels::CodebookGradientArgs args_of(const CodebookGradient& op, const OpLaunches& at);
/// \throws std::logic_error outside of a training step
[[nodiscard]] kernels::CodebookAverageArgs args_of(const CodebookAverage& op, const OpLaunches& at);
[[nodiscard]] kernels::LookUpCodesArgs args_of(const LookUpCodes& op, const OpLaunches& at);
[[nodiscard]] kernels::SampleCodesArgs args_of(const SampleCodes& op, const OpLaunches& at);

}  // namespace vaecuda::cuda
