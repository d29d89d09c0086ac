// The end of a training step: weight gradients over all rows, each tile with its Adam update while it is in
// cache.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "host/cpu/addresses.hpp"
#include "host/cpu/codebook_update.hpp"
#include "host/cpu/compile.hpp"
#include "host/cpu/program.hpp"
#include "host/cpu/tiling.hpp"

namespace vaecuda::cpu {

/// The weight part of a layer's backward pass.
struct WeightGradient {
  std::size_t op = 0;  ///< its place in the plan
  LinearBackward layer;
};

/// Parameters whose gradient is a sum over rows.
struct ParameterSum {
  std::size_t op = 0;  ///< its place in the plan
  ParameterGradient gradient;
};

struct WeightWork {
  const CompileInputs& in;
  ProgramMemory& memory;
  const Addresses& addresses;
  const std::vector<WeightGradient>& gradients;
  const std::vector<ParameterSum>& sums;
  const AdamUpdate& adam;
  std::size_t adam_op = 0;
  float clip_norm = 0.0f;  ///< 0: no clipping, and the gradient is never stored whole
  std::size_t clip_op = 0;
  std::optional<CodebookMove> codebook;
};

struct WeightPhases {
  std::vector<Phase> phases;
  std::int64_t scratch_size = 0;  ///< floats that a thread needs
};

/// With clipping: a phase of gradients, then one of updates, the norm between them. Without: one phase of
/// both.
[[nodiscard]] WeightPhases make_weight_phases(const WeightWork& work);

/// The global L2 norm of the running step's gradients, before clipping.
[[nodiscard]] double gradient_norm(const ProgramMemory& memory);

/// Cuts (rows, cols) into tiles, row by row.
[[nodiscard]] std::vector<Tile> grid(std::int64_t rows, std::int64_t cols, TileSize size);

}  // namespace vaecuda::cpu
