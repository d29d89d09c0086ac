#include "host/plan/step_end.hpp"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

namespace vaecuda {
namespace {

/// Takes the ops of a step's end; the others pass.
class Finder {
 public:
  template <typename O>
  void take(std::size_t, const O&) {}
  void take(std::size_t place, const LinearBackward& op) { end_.weight_gradients.push_back({place, &op}); }
  void take(std::size_t place, const ParameterGradient& op) { end_.sums.push_back({place, &op}); }
  void take(std::size_t place, const CodebookGradient& op) {
    end_.codebook_moves.emplace_back(PlacedOp<CodebookGradient>{place, &op});
  }
  void take(std::size_t place, const CodebookAverage& op) {
    end_.codebook_moves.emplace_back(PlacedOp<CodebookAverage>{place, &op});
  }
  void take(std::size_t place, const GradNorm& op) { end_.norm = {place, &op}; }
  void take(std::size_t place, const AdamUpdate& op) { end_.update = {place, &op}; }
  void take(std::size_t place, const AdvanceStep& op) { end_.advance = {place, &op}; }

  [[nodiscard]] StepEnd found() { return std::move(end_); }

 private:
  StepEnd end_;
};

}  // namespace

std::optional<StepEnd> find_step_end(const Plan& plan) {
  Finder finder;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    std::visit([&](const auto& op) { finder.take(i, op); }, plan.ops[i]);
  }
  StepEnd end = finder.found();
  const bool updates = end.update.op != nullptr;
  const bool advances = end.advance.op != nullptr;
  if (!updates && !advances) return std::nullopt;
  const auto require = [&](bool holds, const char* what) {
    if (!holds) throw std::logic_error(fmt::format("plan '{}': {}", plan.name, what));
  };
  require(updates && advances && end.update.place < end.advance.place,
          "a plan that updates parameters must end the step after it");
  require(!end.weight_gradients.empty(), "a plan that updates parameters has no gradients");
  return end;
}

std::vector<Lifetime> lifetimes_with_end(const Plan& plan, const StepEnd* end, WeightGradientTime time) {
  std::vector<Lifetime> lifetimes = lifetimes_in_order(plan);
  if (end == nullptr) return lifetimes;
  const auto keep = [&](const View& view) {
    lifetimes[static_cast<std::size_t>(view.buffer)].last = std::numeric_limits<std::int64_t>::max();
  };
  for (const PlacedOp<LinearBackward>& gradient : end->weight_gradients) {
    keep(gradient->d);
    if (time == WeightGradientTime::at_end) keep(gradient->in);
  }
  for (const PlacedOp<ParameterGradient>& sum : end->sums) keep(sum->d);
  return lifetimes;
}

}  // namespace vaecuda
