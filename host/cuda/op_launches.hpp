// What lowering an op needs: where its operands lie, and where its launches go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <utility>

#include "host/cuda/forms.hpp"
#include "host/cuda/lower.hpp"
#include "kernels/matrix.hpp"

namespace vaecuda::cuda {

class OpLaunches {
 public:
  /// All three must outlive this object.
  OpLaunches(const LowerInputs& inputs, const Readers& readers, Lowered& lowered)
      : in_(inputs), readers_(readers), lowered_(lowered) {}

  /// Everything below is about this op of the plan from now on.
  void begin(std::size_t op) { op_ = op; }
  [[nodiscard]] std::size_t op() const { return op_; }
  [[nodiscard]] const LowerInputs& inputs() const { return in_; }
  [[nodiscard]] ProgramMemory& memory() const { return in_.memory; }

  template <typename Args>
  void add(const Args& args, int kernels = 1) {
    add_node([args](kernels::Stream stream) { launch(args, stream); }, kernels);
  }

  /// As add, where `place` fills in the rows of an exchange buffer at every launch: a run may bind memory of
  /// the caller's in its place. A captured graph keeps what it was captured with.
  template <typename Args, typename Place>
  void add_placed(const Args& args, const Place& place) {
    add_node([args, place](kernels::Stream stream) {
      Args placed = args;
      place(placed);
      launch(placed, stream);
    });
  }

  void add_node(std::function<void(kernels::Stream)> enqueue, int kernels = 1) {
    lowered_.nodes.push_back({name_of(in_.plan.ops[op_]), op_, kernels, std::move(enqueue)});
  }

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
  Lowered& lowered_;
  std::size_t op_ = 0;
};

}  // namespace vaecuda::cuda
