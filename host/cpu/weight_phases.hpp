// The end of a training step: weight gradients over all rows, each tile with its Adam update while it is in
// cache.
#pragma once

#include <cstdint>
#include <vector>

#include "host/cpu/addresses.hpp"
#include "host/cpu/codebook_update.hpp"
#include "host/cpu/compile.hpp"
#include "host/cpu/program.hpp"
#include "host/cpu/tiling.hpp"

namespace vaecuda::cpu {

struct WeightWork {
  const CompileInputs& in;
  ProgramMemory& memory;
  const Addresses& addresses;
  const StepEnd& end;
};

struct WeightPhases {
  std::vector<Phase> phases;
  std::int64_t scratch_size = 0;  ///< floats that a thread needs
};

/// With clipping: a phase of gradients, the norm, then a phase of updates. Without: one phase of both, and
/// the gradient is never stored as a whole.
[[nodiscard]] WeightPhases make_weight_phases(const WeightWork& work);

/// The global L2 norm of the running step's gradients, before clipping.
[[nodiscard]] double gradient_norm(const ProgramMemory& memory);

/// Splits (rows, cols) into tiles, row by row.
[[nodiscard]] std::vector<Tile> grid(std::int64_t rows, std::int64_t cols, TileSize size);

}  // namespace vaecuda::cpu
