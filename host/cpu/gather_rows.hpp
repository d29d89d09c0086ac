// Gathering rows of the data set on the CPU: shuffling, preparation, binarization.
#pragma once

#include "host/cpu/row_work.hpp"
#include "host/plan/ops.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::cpu {

/// Rows of `data`, which must outlive the work, or of the op's own source. \throws std::logic_error if the op
/// has no source and `data` is null or is not the data set of the plan.
[[nodiscard]] TileWork gather_rows(const GatherBatch& op, const Dataset* data, const RowSources& sources);

[[nodiscard]] TileWork transform_rows(const TransformInput& op, const RowSources& sources);

}  // namespace vaecuda::cpu
