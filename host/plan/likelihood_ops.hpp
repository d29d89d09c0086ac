// The decoder's output as a distribution of rows.
#pragma once

#include <cstdint>
#include <string>

#include "host/plan/op.hpp"
#include "kernels/math/likelihood.h"

namespace vaecuda {

/// nll (B·K,1) = −log p(x|output) summed over D, nats. With `gradient` valid (it may be `output` itself):
/// gradient, like output, = gradient_scale · d nll / d output, and for a learned σ
/// sigma_gradient (B·K,1) = gradient_scale · d nll / d log σ.
struct LikelihoodForwardBackward {
  math::LikelihoodParameters likelihood;
  View output;  ///< (B·K,D) logits or means; σ from the head: (B·K,2D) = [means | raw log σ]
  View x;       ///< (B,D)
  View nll;     ///< (B·K,1)
  View gradient;
  std::int64_t log_sigma = -1;  ///< learned σ: its parameter, floats into the arena
  View sigma_gradient;          ///< learned σ with a gradient
  float gradient_scale = 1.0f;

  [[nodiscard]] std::string name() const;
  [[nodiscard]] static OpViews operands(const LikelihoodForwardBackward& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// mean (B,D) of p(x|z) from the decoder's output; may be in place.
struct ObservationMean {
  math::LikelihoodParameters likelihood;
  View output;  ///< (B,D), without the head's part for σ
  View mean;

  [[nodiscard]] std::string name() const { return "ObservationMean"; }
  [[nodiscard]] static OpViews operands(const ObservationMean& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// The likelihood of rows of counts. nll (B·K,1) = −log p(x|output) summed over D, nats. With `gradient`
/// valid: gradient, like output, = gradient_scale · d nll / d output, and for dispersions that are parameters
/// dispersion_gradient = gradient_scale · d nll / d log θ. A row whose rates are multiplied by its sum 0 has
/// the NLL 0 and no gradient.
struct CountLikelihood {
  math::CountParameters likelihood;
  View output;    ///< (B·K,P·D) with P planes: rates' logits, log θ, zero logits (math::count_planes)
  View x;         ///< (B,D)
  View nll;       ///< (B·K,1)
  View gradient;  ///< another buffer than the output's
  std::int64_t log_dispersion = -1;  ///< its parameter or parameters, floats into the arena
  View dispersion_gradient;          ///< (B·K,1) or (B·K,D)
  float gradient_scale = 1.0f;

  [[nodiscard]] std::string name() const;
  [[nodiscard]] static OpViews operands(const CountLikelihood& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// mean (B,D) of p(x|z) of rows of counts; with rates that are multiplied by the row's sum that of `x`, or
/// `sum`.
struct CountMean {
  math::CountParameters likelihood;
  View output;  ///< (B,P·D)
  View x;       ///< (B,D) or invalid
  View mean;    ///< another buffer than the output's
  float sum = 1.0f;

  [[nodiscard]] std::string name() const { return "CountMean"; }
  [[nodiscard]] static OpViews operands(const CountMean& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

using LikelihoodOps = OpList<LikelihoodForwardBackward, ObservationMean, CountLikelihood, CountMean>;

}  // namespace vaecuda
