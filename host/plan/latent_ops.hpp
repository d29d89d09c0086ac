// Continuous latents: samples, what they cost, and their gradients.
#pragma once

#include <cstdint>
#include <string>

#include "host/plan/op.hpp"
#include "kernels/math/gaussian.h"
#include "kernels/math/kl_term.h"
#include "kernels/math/philox.h"

namespace vaecuda {

/// ε ~ N(0,1) by (seed, purpose, (position + row)·K + k, column); z = mu + e^(logvar/2)·ε; kl per row, summed
/// over Z. Without noise z = mu.
struct LatentForward {
  View head;  ///< (B,2Z) = [mu | logvar], or log σ in its place
  View z;     ///< (B·K,Z)
  View kl;    ///< (B,1) nats
  /// (B·K,1): log q(z|x) − log p(z) of each sample, nats; invalid: nobody asks.
  View log_ratio;
  math::ScaleHead scale_head = math::ScaleHead::logvar;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  bool sample = true;

  [[nodiscard]] std::string name() const { return "LatentForward"; }
  [[nodiscard]] static OpViews operands(const LatentForward& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// What stands for the batch's KL in the loss, before its weight: kl (1,Z) = mean over the rows of each
/// latent's KL, term (1,1) = math::KlTerm of it, slope (1,Z) = the term's derivative by each latent's KL.
struct LatentKl {
  View head;  ///< (B,2Z)
  View kl;
  View slope;
  View term;
  math::ScaleHead scale_head = math::ScaleHead::logvar;
  math::KlTermKind kind = math::KlTermKind::free_bits;
  float free_bits = 0.0f;  ///< λ; the capacity is the step's

  [[nodiscard]] std::string name() const;
  [[nodiscard]] static OpViews operands(const LatentKl& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// dhead (B,2Z) from dz (B·K,Z), ε recomputed, summed over the samples; the KL's gradient is added with
/// weight loss_weight · gradient_scale · kl_slope. With `weights` that of each sample's log-ratio takes its
/// place, with weight weights · gradient_scale.
struct LatentBackward {
  View head;
  View dz;
  View dhead;
  View kl_slope;  ///< (1,Z); invalid: 1
  View weights;   ///< (B·K,1); invalid: the KL in closed form
  math::ScaleHead scale_head = math::ScaleHead::logvar;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  float gradient_scale = 1.0f;

  [[nodiscard]] std::string name() const { return "LatentBackward"; }
  [[nodiscard]] static OpViews operands(const LatentBackward& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// penalty (B,1) = mean over Z of z², of a deterministic code. Where `dz` is valid:
/// dz (B,Z) += loss_weight · gradient_scale · d penalty / d z.
struct LatentPenalty {
  View z;        ///< (B,Z)
  View penalty;  ///< (B,1)
  View dz;       ///< (B,Z), or invalid
  float gradient_scale = 1.0f;

  [[nodiscard]] std::string name() const { return "LatentPenalty"; }
  [[nodiscard]] static OpViews operands(const LatentPenalty& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// Per row, from log w = −(nll + log_ratio) of its K samples: loss = −log (1/K Σ w), weights = w / Σ w, and
/// the means of nll and log_ratio under these weights. Everything but the loss may be invalid.
struct ImportanceWeights {
  View nll;             ///< (B·K,1)
  View log_ratio;       ///< (B·K,1)
  View loss;            ///< (B,1) nats
  View weights;         ///< (B·K,1)
  View reconstruction;  ///< (B,1) nats
  View kl;              ///< (B,1) nats

  [[nodiscard]] std::string name() const { return "ImportanceWeights"; }
  [[nodiscard]] static OpViews operands(const ImportanceWeights& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// rows (N,D) = scale · weights (N,1) ⊙ rows, in place.
struct WeighRows {
  View weights;
  View rows;
  float scale = 1.0f;

  [[nodiscard]] std::string name() const { return "WeighRows"; }
  [[nodiscard]] static OpViews operands(const WeighRows& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// z (B,Z) ~ N(0, temperature²) by (seed, purpose, position + row, column).
struct SamplePrior {
  View z;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::prior;
  float temperature = 1.0f;

  [[nodiscard]] std::string name() const { return "SamplePrior"; }
  [[nodiscard]] static OpViews operands(const SamplePrior& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

using LatentOps =
    OpList<LatentForward, LatentKl, LatentBackward, LatentPenalty, ImportanceWeights, WeighRows, SamplePrior>;

}  // namespace vaecuda
