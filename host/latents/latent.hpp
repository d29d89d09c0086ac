// A kind of latent: all that depends on it, in one place. A model's layout lists its latents, and whoever
// needs something of one asks here; nobody else asks which kind it is (tests/lint/check_kinds.sh).
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

/// What a latent leaves in a plan; what a kind does not have is invalid.
struct LatentPass {
  View head;       ///< of the encoder
  View z;          ///< (B·K,Z)
  View kl;         ///< (B,1) nats
  View log_ratio;  ///< (B·K,1): log q(z|x) − log p(z), where it was asked for
  View kl_slope;   ///< (1,Z): where free bits or a capacity hold the KL
  View codes;      ///< (B,G)
  View error;      ///< (B,1): ‖head − z‖²
};

/// How the codes of a batch are drawn.
struct LatentDraw {
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  std::int64_t samples = 1;  ///< K of each row
  bool weighted = false;     ///< their log-ratios too
};

/// What the way back through a latent needs.
struct LatentGradient {
  const RunConfig& config;
  float per_row = 1.0f;  ///< weight of a row in the gradient
  View weights{};        ///< (B·K,1) of the importance-weighted bound, or invalid
};

/// An evaluation's results.
struct EvaluatedRows {
  std::int64_t rows = 0;
  std::function<std::vector<float>(const char*)> read;  ///< an exchange buffer
  std::function<double(const char*)> mean;              ///< of one of a column, over the rows
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
  /// Of a kind without a density: why options of draws and of the KL term have no effect
  /// (host/config/scopes.hpp).
  [[nodiscard]] virtual std::string_view why_nothing_is_drawn() const { return {}; }
  [[nodiscard]] virtual std::string_view why_no_kl() const { return {}; }
  /// Whether --latent-l2 weighs its code's mean square.
  [[nodiscard]] virtual bool has_code_penalty() const { return false; }
  /// Of its scheduled term in the loss, where training ends.
  [[nodiscard]] virtual double loss_weight(const RunConfig& config) const = 0;

  // --- the model

  /// Columns of the encoder's head.
  [[nodiscard]] virtual std::int64_t head_columns(std::int64_t latent_columns) const {
    return latent_columns;
  }
  /// Whether the head's output is the code itself, so that it is written where the decoder reads.
  [[nodiscard]] virtual bool head_is_code() const { return false; }
  /// Its tensors, behind those of all networks. \throws ConfigError for sizes that do not fit
  virtual void place(const ModelConfig& /*model*/, ParameterLayout& /*layout*/,
                     LatentLayout& /*latent*/) const {}
  /// How its tensors move.
  [[nodiscard]] virtual UpdateRule rule(const OptimizerConfig& /*optimizer*/) const {
    return UpdateRule::adam;
  }

  // --- plans

  /// Codes of the head.
  virtual LatentPass forward(PlanBuilder& build, View head, const LatentDraw& draw) const = 0;
  /// The one code (B,Z) that stands for a row.
  virtual View mean(PlanBuilder& build, View head) const = 0;
  /// Its terms of the loss that are known before the way back.
  virtual void add_terms(PlanBuilder& build, LatentPass& pass, const ObjectiveConfig& objective,
                         std::vector<LossRows>& loss) const = 0;
  /// The gradient by the head, from dz (B·K,Z), which it may change; and terms that come with it.
  virtual View backward(PlanBuilder& build, const LatentPass& pass, View dz, const LatentGradient& gradient,
                        std::vector<LossRows>& loss) const = 0;
  /// Moves tensors of its own, behind the way back; gives the codebooks' perplexities (G,1), or nothing.
  virtual View move_before_norm(PlanBuilder& /*build*/, const LatentPass& /*pass*/,
                                const RunConfig& /*config*/) const {
    return {};
  }
  /// The same behind the gradients' norm, so that a step without an update moves nothing.
  virtual View move_after_norm(PlanBuilder& /*build*/, const LatentPass& /*pass*/,
                               const RunConfig& /*config*/) const {
    return {};
  }
  /// Of an evaluation: "rows.NAME" of its terms, and "rows.head" of the first `head_rows` where it is told
  /// of.
  virtual void store_terms(PlanBuilder& build, const LatentPass& pass, std::int64_t rows,
                           std::int64_t head_rows) const = 0;
  /// Of an encoding pass, as build_encode_plan says.
  virtual void store_codes(PlanBuilder& build, View head, DataShape data) const;
  /// Codes (B,Z) drawn from its prior. \throws std::logic_error without one
  virtual View draw(PlanBuilder& build, std::uint64_t seed) const;

  // --- figures

  /// Puts what an evaluation tells of the latent into `terms`; gives the mean of the scheduled term.
  virtual double evaluate(const EvaluatedRows& rows, const RunConfig& config, LossTerms& terms) const = 0;
  /// What a row's code costs under the prior where no density says it, nats.
  [[nodiscard]] virtual double code_cost(const LatentLayout& /*latent*/) const { return 0.0; }

  // --- draws on the host

  /// \throws ConfigError for a temperature that its prior does not have
  virtual void check_temperature(double /*temperature*/) const {}
  /// Codes (count, Z) of rows first … first + count − 1 of a sample. `parameters`: the arena.
  [[nodiscard]] virtual std::vector<float> draw_rows(std::int64_t first, std::int64_t count,
                                                     const LatentLayout& latent,
                                                     std::span<const float> parameters, std::uint64_t seed,
                                                     double temperature) const;
};

/// The rules of a kind.
[[nodiscard]] const Latent& latent_of(LatentKind kind);
/// Of every kind, in the order of the enumeration.
[[nodiscard]] std::span<const Latent* const> all_latents();

}  // namespace vaecuda
