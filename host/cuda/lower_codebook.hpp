// Quantized latents and their codebooks as launches.
#pragma once

#include "host/cuda/op_launches.hpp"
#include "kernels/codebook.hpp"

namespace vaecuda::cuda {

class CodebookLowering {
 public:
  /// `at` must outlive this object; it stands at the op that is added.
  explicit CodebookLowering(OpLaunches& at)
      : at_(at), memory_(at.memory()), parameters_(at.inputs().parameters) {}

  void add(const VectorQuantize& op);
  void add(const VectorQuantizeBackward& op);
  void add(const CodebookGradient& op);
  void add(const CodebookAverage& op);
  void add(const LookUpCodes& op);
  void add(const SampleCodes& op);

 private:
  [[nodiscard]] float* codes_of(const CodebookParameters& codebook) const;
  /// \throws std::logic_error outside of a training step
  [[nodiscard]] kernels::CodebookBatch batch_of(const CodebookBatch& op) const;

  OpLaunches& at_;
  ProgramMemory& memory_;
  CudaParameters& parameters_;
};

}  // namespace vaecuda::cuda
