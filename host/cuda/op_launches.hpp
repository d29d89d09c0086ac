// What lowering an op needs: where its operands lie, and where its launches go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/cuda/forms.hpp"
#include "host/cuda/lower.hpp"
#include "kernels/matrix.hpp"

namespace vaecuda::cuda {

class OpLaunches {
 public:
  /// All three must outlive this object.
  OpLaunches(const LowerInputs& inputs, const Readers& readers, std::vector<Node>& nodes)
      : in_(inputs), readers_(readers), nodes_(nodes) {}

  /// Everything below is about this op of the plan from now on.
  void begin(std::size_t op) { op_ = op; }
  [[nodiscard]] std::size_t op() const { return op_; }
  [[nodiscard]] const LowerInputs& inputs() const { return in_; }
  [[nodiscard]] ProgramMemory& memory() const { return in_.memory; }

  /// A launch of this op, by the op's name.
  void add(Launch launch) { add(name_of(in_.plan.ops[op_]), std::move(launch)); }
  void add(std::string name, Launch launch) { add(std::move(name), std::move(launch), op_); }
  /// A launch of another op.
  void add(std::string name, Launch launch, std::size_t op) {
    nodes_.push_back({std::move(name), op, std::move(launch)});
  }

  /// The end of the training step. \throws std::logic_error for a plan without
  [[nodiscard]] const StepEnd& end() const {
    if (in_.end == nullptr) throw std::logic_error("a gradient norm without an update");
    return *in_.end;
  }
  [[nodiscard]] math::StepState* state() const { return memory().state(); }
  [[nodiscard]] float* parameter(std::int64_t offset) const { return in_.parameters.parameters() + offset; }

  /// Null for an invalid view, as both below.
  [[nodiscard]] float* single(const View& view) const { return memory().single(view); }
  [[nodiscard]] kernels::InMatrix in(const View& view) const { return memory().in(view); }
  /// Where a view that this op writes goes: in the forms that are read.
  [[nodiscard]] kernels::OutMatrix out(const View& view) const {
    return view.valid() ? memory().out(view, readers_.forms(op_, view)) : kernels::OutMatrix{};
  }

  /// A (B,1) result of a kernel that writes fp32 alone.
  [[nodiscard]] float* row_sums(const View& view) const {
    if (view.valid() && readers_.forms(op_, view).half) {
      throw std::logic_error("sums over rows are kept in fp32 only, but a matrix product reads them");
    }
    return memory().single(view);
  }

  /// 1 where there is no view.
  [[nodiscard]] static std::int64_t stride_of(const View& view) { return view.valid() ? view.stride : 1; }

  /// Where a row whose loss is not finite says so: only a training step asks.
  [[nodiscard]] std::int32_t* fault() const {
    return memory().gradients() != nullptr ? &memory().state()->fault : nullptr;
  }

 private:
  const LowerInputs& in_;
  const Readers& readers_;
  std::vector<Node>& nodes_;
  std::size_t op_ = 0;
};

}  // namespace vaecuda::cuda
