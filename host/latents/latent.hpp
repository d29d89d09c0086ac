// The interface of a kind of latent, with everything that depends on the kind. A model's layout lists its
// latents; no other code asks for the kind (tests/lint/check_kinds.sh).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/layout.hpp"
#include "host/plan/builder.hpp"
#include "host/plan/plan.hpp"
#include "kernels/math/philox.h"
#include "vaecuda/latent.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

class PlanBuilder;

/// The views that a latent adds to a plan; those that a kind does not have are invalid.
struct LatentPass {
  View head;       ///< of the encoder
  View z;          ///< (B·K,Z)
  View kl;         ///< (B,1) nats
  View log_ratio;  ///< (B·K,1): log q(z|x) − log p(z), if requested
  View kl_slope;   ///< (1,Z): with free bits or a capacity
  View codes;      ///< (B,G)
  View error;      ///< (B,1): ‖head − z‖²
};

/// How the latents of a batch are sampled.
struct LatentDraw {
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  std::int64_t samples = 1;  ///< K per row
  bool weighted = false;     ///< computes log ratios too
};

/// Inputs of the backward pass through a latent.
struct LatentGradient {
  const RunConfig& config;
  float per_row = 1.0f;  ///< weight of a row in the gradient
  View weights{};        ///< (B·K,1) of the importance-weighted bound, or invalid
};

/// The results of an evaluation.
struct EvaluatedRows {
  std::int64_t rows = 0;
  std::function<std::vector<float>(const char*)> read;  ///< reads an exchange buffer
  std::function<double(const char*)> mean;  ///< mean over rows of an exchange buffer with one column
};

class Latent {
 public:
  Latent() = default;
  virtual ~Latent() = default;
  Latent(const Latent&) = delete;
  Latent& operator=(const Latent&) = delete;

  [[nodiscard]] virtual const LatentTraits& traits() const = 0;

  // --- options

  /// \throws ConfigError for an option that contradicts this kind
  virtual void check(const RunConfig& /*config*/) const {}
  /// For a kind without a density: why options of sampling and of the KL term have no effect
  /// (host/config/scopes.hpp).
  [[nodiscard]] virtual std::string_view why_nothing_is_drawn() const { return {}; }
  [[nodiscard]] virtual std::string_view why_no_kl() const { return {}; }
  /// Whether --latent-l2 weights its mean squared code.
  [[nodiscard]] virtual bool has_code_penalty() const { return false; }
  /// Final weight of its scheduled term in the loss.
  [[nodiscard]] virtual double loss_weight(const RunConfig& config) const = 0;

  // --- the model

  /// Columns of the encoder's head.
  [[nodiscard]] virtual std::int64_t head_columns(std::int64_t latent_columns) const {
    return latent_columns;
  }
  /// Whether the head's output is the code itself, so that the head writes directly to the decoder's input.
  [[nodiscard]] virtual bool head_is_code() const { return false; }
  /// Adds its tensors after those of all networks. \throws ConfigError for invalid sizes
  virtual void place(const ModelConfig& /*model*/, ParameterLayout& /*layout*/,
                     LatentLayout& /*latent*/) const {}
  /// How its tensors are updated.
  [[nodiscard]] virtual UpdateRule rule(const OptimizerConfig& /*optimizer*/) const {
    return UpdateRule::adam;
  }

  // --- plans

  /// Adds the latents of a head to a plan.
  virtual LatentPass forward(PlanBuilder& build, View head, const LatentDraw& draw) const = 0;
  /// The deterministic code (B,Z) of a row.
  virtual View mean(PlanBuilder& build, View head) const = 0;
  /// Adds its loss terms that are known before the backward pass.
  virtual void add_terms(PlanBuilder& build, LatentPass& pass, const ObjectiveConfig& objective,
                         std::vector<LossRows>& loss) const = 0;
  /// The gradient with respect to the head, from dz (B·K,Z), which it may overwrite; and loss terms computed
  /// with it.
  virtual View backward(PlanBuilder& build, const LatentPass& pass, View dz, const LatentGradient& gradient,
                        std::vector<LossRows>& loss) const = 0;
  /// Updates its own tensors after the backward pass; returns the codebooks' perplexities (G,1), or an
  /// invalid view.
  virtual View move_before_norm(PlanBuilder& /*build*/, const LatentPass& /*pass*/,
                                const RunConfig& /*config*/) const {
    return {};
  }
  /// The same after the norm of the gradients, so that a step without an update changes nothing.
  virtual View move_after_norm(PlanBuilder& /*build*/, const LatentPass& /*pass*/,
                               const RunConfig& /*config*/) const {
    return {};
  }
  /// For an evaluation: exchange buffers "rows.NAME" of its terms, and "rows.head" of the first `head_rows`
  /// if it uses them.
  virtual void store_terms(PlanBuilder& build, const LatentPass& pass, std::int64_t rows,
                           std::int64_t head_rows) const = 0;
  /// For an encoding pass, as build_encode_plan says.
  virtual void store_codes(PlanBuilder& build, View head, DataShape data) const;
  /// Latents (B,Z) drawn from its prior. \throws std::logic_error without a prior
  virtual View draw(PlanBuilder& build, std::uint64_t seed) const;

  // --- figures

  /// Writes the figures of an evaluation for this latent into `terms`; returns the mean of the scheduled
  /// term.
  virtual double evaluate(const EvaluatedRows& rows, const RunConfig& config, LossTerms& terms) const = 0;
  /// KL of a row's code to the prior for a latent without a density, nats.
  [[nodiscard]] virtual double code_cost(const LatentLayout& /*latent*/) const { return 0.0; }

  // --- draws on the host

  /// \throws ConfigError for a temperature that its prior does not support
  virtual void check_temperature(double /*temperature*/) const {}
  /// Latents (count, Z) of rows first … first + count − 1 of a sample. `parameters`: the arena.
  [[nodiscard]] virtual std::vector<float> draw_rows(std::int64_t first, std::int64_t count,
                                                     const LatentLayout& latent,
                                                     std::span<const float> parameters, std::uint64_t seed,
                                                     double temperature) const;
};

/// The object of a kind.
[[nodiscard]] const Latent& latent_of(LatentKind kind);
/// Those of every kind, in the order of the enumeration.
[[nodiscard]] std::span<const Latent* const> all_latents();

}  // namespace vaecuda
