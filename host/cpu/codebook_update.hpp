// How codebooks move on the CPU: one unit of work per codebook, beside the weight gradients.
#pragma once

#include <cstdint>

#include "host/cpu/addresses.hpp"
#include "host/cpu/compile.hpp"
#include "host/cpu/program.hpp"
#include "host/plan/step_end.hpp"

namespace vaecuda::cpu {

struct CodebookMoveInputs {
  const CompileInputs& in;
  ProgramMemory& memory;
  const Addresses& addresses;
  const AdamUpdate& adam;
  bool clips = false;  ///< gradients go to the gradient arena and are applied later
};

/// Adds the move's piece and units to a phase that runs after the last row of the batch is through; gives the
/// scratch that a unit needs.
[[nodiscard]] std::int64_t add_codebook_move(const CodebookMoveInputs& inputs, const CodebookMove& move,
                                             Phase& phase);

}  // namespace vaecuda::cpu
