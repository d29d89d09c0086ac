// The end of a training step, found in a plan: what changes the parameters once all rows of the batch are
// through. A backend orders and merges this work as it likes; what there is to do is said here alone.
#pragma once

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "host/plan/plan.hpp"

namespace vaecuda {

/// An op and its place in the plan.
template <typename O>
struct PlacedOp {
  std::size_t place = 0;
  const O* op = nullptr;
  const O& operator*() const { return *op; }
  const O* operator->() const { return op; }
};

using CodebookMove = std::variant<PlacedOp<CodebookGradient>, PlacedOp<CodebookAverage>>;

struct StepEnd {
  std::vector<PlacedOp<LinearBackward>> weight_gradients;  ///< each with the sum for its bias
  std::vector<PlacedOp<ParameterGradient>> sums;           ///< over rows, of parameters that are no layer's
  std::vector<CodebookMove> codebook_moves;
  std::optional<PlacedOp<GradNorm>> norm;  ///< none: an update waits for no other gradient
  PlacedOp<AdamUpdate> update;
  PlacedOp<AdvanceStep> advance;
};

/// Its pointers are into the plan. None of a pass that trains nothing.
/// \throws std::logic_error for a plan that updates parameters and does not end the step, or the other way
/// round, or has no gradient
[[nodiscard]] std::optional<StepEnd> find_step_end(const Plan& plan);

/// When a backend computes weight gradients, and with them how long what they read must stay.
enum class WeightGradientTime {
  in_order,  ///< where LinearBackward stands; sums over rows may still wait for the end of the step
  at_end,    ///< behind all other ops
};
/// Lifetimes in the order of the ops, with the step's end behind them. `end` null: of a pass that trains
/// nothing.
[[nodiscard]] std::vector<Lifetime> lifetimes_with_end(const Plan& plan, const StepEnd* end,
                                                       WeightGradientTime time);

}  // namespace vaecuda
