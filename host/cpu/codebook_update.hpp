// Codebook updates on the CPU: one unit of work per codebook, in the phases of the weight gradients.
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

/// Adds the piece and units of the update to a phase that runs after the last row of the batch. \return the
/// floats of scratch memory that a unit needs
[[nodiscard]] std::int64_t add_codebook_move(const CodebookMoveInputs& inputs, const CodebookMove& move,
                                             Phase& phase);

}  // namespace vaecuda::cpu
