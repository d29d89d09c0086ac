// The end of a training step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/plan/op.hpp"
#include "kernels/math/adam.h"
#include "kernels/math/loss.h"
#include "kernels/math/step_state.h"

namespace vaecuda {

/// A term of the loss, and the column whose mean it is.
struct LossRows {
  math::LossTerm term;
  View rows;  ///< (B,1), (B·K,1) of K samples of each row, or (1,1) of the whole batch
};

/// The terms alone, as loss_of() takes them.
[[nodiscard]] math::LossTermList terms_of(const std::vector<LossRows>& loss);

/// The global L2 norm of all gradients, before AdamUpdate: only where clipping or skipping needs it first.
struct GradNorm {
  float clip_norm = 0.0f;
  /// As in AdvanceStep; where given, a row of it that is not finite raises the fault flag here.
  std::vector<LossRows> loss = {};

  [[nodiscard]] std::string name() const { return "GradNorm"; }
  [[nodiscard]] static OpViews operands(const GradNorm& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// One update of the parameters whose rule is Adam, range by range. An element whose gradient or new value is
/// not finite is left alone and raises the fault flag.
struct AdamUpdate {
  math::AdamConstants<float> constants;
  std::vector<ParameterRange> ranges;  ///< in order, apart from each other
  [[nodiscard]] std::int64_t elements() const;

  [[nodiscard]] std::string name() const { return "AdamUpdate"; }
  [[nodiscard]] static OpViews operands(const AdamUpdate& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// Ends a training step: metrics into the ring, the next step's state.
struct AdvanceStep {
  std::vector<LossRows> loss;  ///< in the order in which loss_of() adds them
  View perplexity;             ///< (G,1): of codebooks; or invalid
  math::Schedule schedule;
  double beta1 = 0.9;
  double beta2 = 0.999;
  math::LossSchedule loss_schedule;
  /// A fault that GradNorm raised is no fault but a step without an update; its metrics are NaN.
  bool skip_nonfinite = false;

  [[nodiscard]] std::string name() const { return "AdvanceStep"; }
  [[nodiscard]] static OpViews operands(const AdvanceStep& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

using StepOps = OpList<GradNorm, AdamUpdate, AdvanceStep>;

}  // namespace vaecuda
