// Addresses of a plan's views in the memory of this program.
#pragma once

#include <memory>
#include <vector>

#include "host/cpu/loops.hpp"
#include "host/cpu/memory.hpp"
#include "host/cpu/program.hpp"
#include "host/plan/step_end.hpp"

namespace vaecuda::cpu {

struct Addresses {
  std::vector<float*> base;  ///< by buffer; null if no op uses it

  /// Null data for an invalid view.
  [[nodiscard]] Matrix<float> matrix(const View& view) const {
    if (!view.valid()) return {nullptr, 0};
    return {base[static_cast<std::size_t>(view.buffer)] + view.offset, view.stride};
  }
  [[nodiscard]] Matrix<const float> input(const View& view) const {
    const Matrix<float> m = matrix(view);
    return {m.data, m.stride};
  }
};

/// Allocates the plan's buffers and fills the constants. `end`: that of a training step, else null.
/// \throws OutOfMemoryError
[[nodiscard]] Addresses place_buffers(const Plan& plan, const StepEnd* end, ProgramMemory& memory,
                                      const std::shared_ptr<ByteCounter>& counter);

}  // namespace vaecuda::cpu
