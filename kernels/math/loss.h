// The loss of a step: a short list of named terms, each a mean over rows, each with a weight.
#pragma once

#include <cstdint>

#include "kernels/math/host_device.h"

namespace vaecuda::math {

/// What a term is, and nothing else.
enum class LossTermKind : int {
  reconstruction,      ///< −log p(x|z), nats
  kl,                  ///< KL(q(z|x) ‖ p(z)), nats
  bounded_kl,          ///< KlTerm: what free bits or a capacity make of the batch's KL, nats
  code_penalty,        ///< mean square of a deterministic code
  quantization_error,  ///< ‖head − code‖²
  importance_bound,    ///< −log (1/K Σ w) of K samples (Burda et al., arXiv 1509.00519), nats
};
inline constexpr int kLossTermKinds = 6;

/// The part of a term in the loss.
enum class LossWeight : int {
  none,  ///< reported alone
  one,
  scheduled,  ///< StepState::loss_weight
};

struct LossTerm {
  LossTermKind kind = LossTermKind::reconstruction;
  LossWeight weight = LossWeight::one;
};

inline constexpr int kMaxLossTerms = 4;

/// In the order in which they are added, no kind twice. Plain data that a kernel can carry.
struct LossTermList {
  LossTerm term[kMaxLossTerms] = {};
  int count = 0;
};

/// The mean of each kind of term; 0 of a kind that the loss does not have.
struct LossMeans {
  double of_kind[kLossTermKinds] = {};
  std::uint32_t present = 0;  ///< bit k: kind k is there
};

VAECUDA_HD double mean_of(const LossMeans& means, LossTermKind kind) {
  return means.of_kind[static_cast<int>(kind)];
}

VAECUDA_HD bool has_term(const LossMeans& means, LossTermKind kind) {
  return (means.present >> static_cast<int>(kind) & 1U) != 0;
}

VAECUDA_HD void set_mean(LossMeans& means, LossTermKind kind, double mean) {
  means.of_kind[static_cast<int>(kind)] = mean;
  means.present |= 1U << static_cast<int>(kind);
}

/// The sum of all means: finite only where every one is, if they are as far from the end of the range as
/// means of floats.
VAECUDA_HD double sum_of(const LossMeans& means) {
  double sum = 0.0;
  for (int k = 0; k < kLossTermKinds; ++k) sum += means.of_kind[k];
  return sum;
}

/// What is minimized: Σ weight · mean, in double, in the terms' order. A weight of 0 leaves no term out, so
/// that 0 · ∞ stays NaN.
VAECUDA_HD double loss_of(const LossMeans& means, const LossTermList& terms, double scheduled_weight) {
  double loss = 0.0;
  for (int i = 0; i < terms.count; ++i) {
    const LossTerm term = terms.term[i];
    if (term.weight == LossWeight::none) continue;
    const double weight = term.weight == LossWeight::one ? 1.0 : scheduled_weight;
    loss += weight * mean_of(means, term.kind);
  }
  return loss;
}

}  // namespace vaecuda::math
