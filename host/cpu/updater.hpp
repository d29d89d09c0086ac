// Adam over ranges of the parameter arena, as the units of the weight phases apply it.
#pragma once

#include <cstdint>

#include "host/cpu/compile.hpp"
#include "host/cpu/products.hpp"
#include "host/cpu/program.hpp"
#include "host/plan/ops.hpp"

namespace vaecuda::cpu {

/// Lowers the lowest bad element so far; −1: none.
void note_bad(std::atomic<std::int64_t>& lowest, std::int64_t element);

class Updater {
 public:
  Updater(const CompileInputs& in, ProgramMemory& memory, const AdamUpdate& adam)
      : loops_(&in.loops), memory_(&memory), store_(&in.parameters), constants_(adam.constants) {}

  /// Updates `count` elements from `element` on; returns the sum of the squared gradients.
  double operator()(std::int64_t element, const float* gradient, std::int64_t count) const;

  /// Computes the gradient of a rectangle (n,k) of a weight matrix over `rows` rows and updates it at the
  /// same time; rows of the matrix have `stride` elements.
  double operator()(std::int64_t element, std::int64_t stride, Operand d, Operand x, std::int64_t n,
                    std::int64_t k, std::int64_t rows, float* scratch) const;

 private:
  [[nodiscard]] UpdateTarget target_at(std::int64_t element, std::int64_t stride) const;
  [[nodiscard]] double noted(std::int64_t element, const AdamOutcome& outcome) const;

  const Loops* loops_;
  ProgramMemory* memory_;
  CpuParameters* store_;
  math::AdamConstants<float> constants_;
};

}  // namespace vaecuda::cpu
