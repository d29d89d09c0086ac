// Matrix products of the executor: plain loops with sums in double, rounded once, and cuBLASLt's epilogues.
#pragma once

#include <memory>

#include "kernels/library/gemm.hpp"
#include "simt/memory.hpp"
#include "simt/options.hpp"

namespace vaecuda::simt {

/// Null where this library has no such product. D, and aux and bias_gradient where the product writes them,
/// become unwritten. \throws SimtError for operands that no library would take.
[[nodiscard]] std::unique_ptr<kernels::Gemm> make_gemm(const kernels::GemmSpec& spec, Memory& memory,
                                                       EpilogueSupport support);

}  // namespace vaecuda::simt
