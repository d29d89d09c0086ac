// Vector quantization on the CPU, row by row: the work of compiled ops on a tile of rows.
#pragma once

#include <cstdint>

#include "host/cpu/row_work.hpp"
#include "host/plan/ops.hpp"

namespace vaecuda::cpu {

/// Needs scratch of quantize_scratch(op) floats: a transposed codebook.
[[nodiscard]] TileWork quantize_rows(const VectorQuantize& op, const RowSources& sources);
[[nodiscard]] std::int64_t quantize_scratch(const VectorQuantize& op);
[[nodiscard]] TileWork quantize_backward_rows(const VectorQuantizeBackward& op, const RowSources& sources);
[[nodiscard]] TileWork look_up_rows(const LookUpCodes& op, const RowSources& sources);
[[nodiscard]] TileWork sample_code_rows(const SampleCodes& op, const RowSources& sources);

}  // namespace vaecuda::cpu
