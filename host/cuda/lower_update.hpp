// The end of a training step as launches: the gradient norm, the update, and what the next step starts from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "host/cuda/lower_linear.hpp"
#include "host/cuda/op_launches.hpp"
#include "kernels/update.hpp"

namespace vaecuda::cuda {

class UpdateLowering {
 public:
  /// All three must outlive this object; `at` stands at the op that is added.
  UpdateLowering(OpLaunches& at, LinearLowering& linear, Lowered& lowered)
      : at_(at),
        plan_(at.inputs().plan),
        memory_(at.memory()),
        parameters_(at.inputs().parameters),
        linear_(linear),
        lowered_(lowered) {}

  void add(const GradNorm& op);
  void add(const AdamUpdate& op);
  /// The update's last block also ends the step, so both ops are one launch.
  void add(const AdvanceStep& op);
  /// An update without the end of its step behind it.
  [[nodiscard]] bool is_open() const { return update_.has_value(); }

 private:
  /// Where the terms of a step's rows lie.
  template <typename Args, typename Op>
  void take_sums(Args& args, const Op& op) const;
  /// The norm covers what the update covers.
  [[nodiscard]] std::int64_t updated_elements() const;

  OpLaunches& at_;
  const Plan& plan_;
  ProgramMemory& memory_;
  CudaParameters& parameters_;
  LinearLowering& linear_;
  Lowered& lowered_;
  bool clipped_ = false;
  std::optional<kernels::UpdateArgs> update_;
  std::size_t update_op_ = 0;
};

}  // namespace vaecuda::cuda
