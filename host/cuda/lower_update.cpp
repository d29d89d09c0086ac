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

kernels::LossColumns columns_of(const std::vector<LossRows>& loss, const OpLaunches& at) {
  kernels::LossColumns columns;
  columns.terms = terms_of(loss);
  for (std::size_t i = 0; i < loss.size(); ++i) {
    const View& rows = loss[i].rows;
    columns.column[i] = {at.single(rows), rows.stride, rows.rows};
  }
  return columns;
}

}  // namespace

kernels::GradNormArgs args_of(const GradNorm& op, const OpLaunches& at) {
  kernels::GradNormArgs args;
  args.gradient = at.memory().gradients();
  args.elements = elements_of(*at.end().update);  // the norm covers what the update covers
  args.clip_norm = op.clip_norm;
  args.loss = columns_of(op.loss, at);
  args.state = at.state();
  args.scratch = at.memory().scratch();
  return args;
}

kernels::UpdateArgs args_of(const AdvanceStep& op, const OpLaunches& at) {
  CudaParameters& parameters = at.inputs().parameters;
  if (!parameters.training()) throw std::logic_error("a training step on parameters without moments");
  kernels::AdvanceArgs advance;
  advance.loss = columns_of(op.loss, at);
  advance.batch = at.inputs().plan.batch;
  advance.perplexity = at.single(op.perplexity);
  advance.perplexity_stride = op.perplexity.stride;
  advance.groups = op.perplexity.rows;
  advance.schedule = op.schedule;
  advance.beta1 = op.beta1;
  advance.beta2 = op.beta2;
  advance.loss_schedule = op.loss_schedule;
  advance.skip_nonfinite = op.skip_nonfinite;
  advance.ring = at.memory().ring();
  advance.ring_size = at.memory().ring_size();
  const PlacedOp<AdamUpdate>& update = at.end().update;
  kernels::UpdateArgs args;
  args.parameters = parameters.parameters();
  args.moment1 = parameters.moment1();
  args.moment2 = parameters.moment2();
  args.gradient = at.memory().gradients();
  args.half_parameters = parameters.half();
  args.elements = elements_of(*update);
  args.constants = update->constants;
  args.clipped = at.end().norm.has_value();
  args.advance = advance;
  args.state = at.state();
  args.scratch = at.memory().scratch();
  return args;
}

}  // namespace vaecuda::cuda
