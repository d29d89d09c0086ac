#include "host/cuda/lower_update.hpp"

#include <stdexcept>

namespace vaecuda::cuda {
namespace {

/// The kernels walk the arena from its start.
std::int64_t elements_of(const AdamUpdate& op) {
  if (op.ranges.size() != 1 || op.ranges.front().offset != 0) {
    throw std::logic_error("the update kernels take one range from the start of the arena");
  }
  return op.ranges.front().count;
}

}  // namespace

kernels::LossColumns UpdateLowering::columns_of(const std::vector<LossRows>& loss) const {
  kernels::LossColumns columns;
  columns.terms = terms_of(loss);
  for (std::size_t i = 0; i < loss.size(); ++i) {
    const View& rows = loss[i].rows;
    columns.column[i] = {memory_.single(rows), rows.stride, rows.rows};
  }
  return columns;
}

const StepEnd& UpdateLowering::end() const {
  if (end_ == nullptr) throw std::logic_error("a gradient norm without an update");
  return *end_;
}

void UpdateLowering::add(const GradNorm& op) {
  linear_.add_bias_gradients(at_.op());
  kernels::GradNormArgs args;
  args.gradient = memory_.gradients();
  args.elements = elements_of(*end().update);  // the norm covers what the update covers
  args.clip_norm = op.clip_norm;
  args.loss = columns_of(op.loss);
  args.state = memory_.state();
  args.scratch = memory_.scratch();
  at_.add(args);
}

void UpdateLowering::add(const AdamUpdate&) {
  linear_.add_bias_gradients(at_.op());
}

void UpdateLowering::add(const AdvanceStep& op) {
  if (!parameters_.training()) throw std::logic_error("a training step on parameters without moments");
  kernels::AdvanceArgs advance;
  advance.loss = columns_of(op.loss);
  advance.batch = batch_;
  advance.perplexity = memory_.single(op.perplexity);
  advance.perplexity_stride = op.perplexity.stride;
  advance.groups = op.perplexity.rows;
  advance.schedule = op.schedule;
  advance.beta1 = op.beta1;
  advance.beta2 = op.beta2;
  advance.loss_schedule = op.loss_schedule;
  advance.skip_nonfinite = op.skip_nonfinite;
  advance.ring = memory_.ring();
  advance.ring_size = memory_.ring_size();
  lowered_.advance = advance;
  const PlacedOp<AdamUpdate>& update = end().update;
  kernels::UpdateArgs args;
  args.parameters = parameters_.parameters();
  args.moment1 = parameters_.moment1();
  args.moment2 = parameters_.moment2();
  args.gradient = memory_.gradients();
  args.half_parameters = parameters_.half();
  args.elements = elements_of(*update);
  args.constants = update->constants;
  args.clipped = end().norm.has_value();
  args.advance = advance;
  args.state = memory_.state();
  args.scratch = memory_.scratch();
  lowered_.nodes.push_back({"AdamUpdate and AdvanceStep", update.place, 1,
                            [args](kernels::Stream stream) { kernels::launch(args, stream); }});
}

}  // namespace vaecuda::cuda
