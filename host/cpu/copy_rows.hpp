// Rows between a batch and an exchange buffer, at the running position.
#pragma once

#include "host/cpu/row_work.hpp"
#include "host/plan/ops.hpp"

namespace vaecuda::cpu {

[[nodiscard]] TileWork store_rows(const StoreRows& op, const RowSources& sources);
[[nodiscard]] TileWork load_rows(const LoadRows& op, const RowSources& sources);

}  // namespace vaecuda::cpu
