#include "host/plan/linear_ops.hpp"

namespace vaecuda {

OpViews Linear::operands(const Linear& op) {
  const auto& [in, layer, out, activation, preactivation] = op;
  return {{in}, {out, preactivation}};
}

void Linear::check(const OpCheck& check) const {
  check.layer(layer);
  check.require(in.rows == out.rows && in.cols == layer.in && out.cols == layer.out, "shapes");
  check.require(!preactivation.valid() || preactivation.is_shaped_like(out),
                "preactivation must have out's shape");
}

OpCost Linear::cost() const {
  OpCost cost = moved(operands(*this));
  cost.flops = 2.0 * static_cast<double>(in.rows) * layer.weights();
  cost.bytes += 4.0 * (layer.weights() + static_cast<double>(layer.out));
  return cost;
}

OpViews LinearBackward::operands(const LinearBackward& op) {
  const auto& [d, in, layer, dx, activation, saved] = op;
  return {{d, in, saved}, {dx}};
}

void LinearBackward::check(const OpCheck& check) const {
  check.layer(layer);
  check.require(d.rows == in.rows && d.cols == layer.out && in.cols == layer.in, "shapes");
  check.require(!dx.valid() || dx.is_shaped_like(in), "dx must have in's shape");
  const bool needs_saved = dx.valid() && activation != math::ActivationKind::identity;
  check.require(!needs_saved || (saved.valid() && saved.is_shaped_like(dx)), "saved must have dx's shape");
}

OpCost LinearBackward::cost() const {
  const double products = dx.valid() ? 2.0 : 1.0;
  OpCost cost = moved(operands(*this));
  cost.flops = 2.0 * static_cast<double>(d.rows) * layer.weights() * products;
  cost.bytes += 4.0 * layer.weights() * products;  // dW written, W read
  return cost;
}

OpViews ParameterGradient::operands(const ParameterGradient& op) {
  const auto& [parameter_name, d, parameter] = op;
  return {{d}, {}};
}

void ParameterGradient::check(const OpCheck& check) const {
  check.require(parameter >= 0 && parameter + d.cols <= check.parameter_size(),
                "parameters past the arena's end");
}

}  // namespace vaecuda
