// The end of a training step as launches: the gradient norm, the update, and what the next step starts from.
#pragma once

#include <cstdint>

#include "host/cuda/lower_linear.hpp"
#include "host/cuda/op_launches.hpp"
#include "host/plan/step_end.hpp"
#include "kernels/update.hpp"

namespace vaecuda::cuda {

class UpdateLowering {
 public:
  /// All must outlive this object; `at` stands at the op that is added. `end` null: of a pass that trains
  /// nothing.
  UpdateLowering(OpLaunches& at, const StepEnd* end, LinearLowering& linear, Lowered& lowered)
      : at_(at),
        batch_(at.inputs().plan.batch),
        end_(end),
        memory_(at.memory()),
        parameters_(at.inputs().parameters),
        linear_(linear),
        lowered_(lowered) {}

  void add(const GradNorm& op);
  void add(const AdamUpdate& op);
  /// The update's last block also ends the step, so both ops are one launch.
  void add(const AdvanceStep& op);

 private:
  [[nodiscard]] kernels::LossColumns columns_of(const std::vector<LossRows>& loss) const;
  [[nodiscard]] const StepEnd& end() const;

  OpLaunches& at_;
  std::int64_t batch_;
  const StepEnd* end_;
  ProgramMemory& memory_;
  CudaParameters& parameters_;
  LinearLowering& linear_;
  Lowered& lowered_;
};

}  // namespace vaecuda::cuda
