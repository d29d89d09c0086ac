// Linear layers and what else gives parameters their gradients.
#pragma once

#include <cstdint>
#include <string>

#include "host/plan/op.hpp"
#include "kernels/math/activation.h"

namespace vaecuda {

/// out (B,N) = activation(in (B,K) · Wᵀ + b). `preactivation` (B,N) is stored where its derivative needs it.
struct Linear {
  View in;
  LinearParameters layer;
  View out;
  math::ActivationKind activation = math::ActivationKind::identity;
  View preactivation;

  [[nodiscard]] std::string name() const { return "Linear " + layer.name; }
  [[nodiscard]] static OpViews operands(const Linear& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// From d = gradient by the layer's pre-activation (B,out): dW (+ its Adam update), db, and, where `dx` is
/// valid, dx (B,in) = (d · W) ⊙ activation'(saved) with the activation that produced the layer's input.
struct LinearBackward {
  View d;
  View in;  ///< (B,in): the layer's input of the forward pass
  LinearParameters layer;
  View dx;
  math::ActivationKind activation = math::ActivationKind::identity;
  View saved;  ///< (B,in): output or pre-activation of the layer below

  [[nodiscard]] std::string name() const { return "LinearBackward " + layer.name; }
  [[nodiscard]] static OpViews operands(const LinearBackward& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// The gradient of parameters that no matrix product has: Σ over the rows of d (B,n), for n parameters.
struct ParameterGradient {
  std::string parameter_name;
  View d;
  std::int64_t parameter = 0;  ///< the first of them, floats into the arena

  [[nodiscard]] std::string name() const { return "ParameterGradient " + parameter_name; }
  [[nodiscard]] static OpViews operands(const ParameterGradient& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

using LinearOps = OpList<Linear, LinearBackward, ParameterGradient>;

}  // namespace vaecuda
