// A deterministic latent: the head is the code. With --latent-l2 the loss includes the mean squared code.
#include <fmt/format.h>

#include "host/latents/latent.hpp"
#include "host/plan/exchanged.hpp"
#include "host/plan/plan_builder.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

class DeterministicLatent final : public Latent {
 public:
  [[nodiscard]] const LatentTraits& traits() const override {
    static constexpr LatentTraits kTraits{
        .adjective = "deterministic",
        .no_prior =
            "a model with --latent deterministic has no distribution of codes to draw from: decode given "
            "codes, or train with --latent gaussian"};
    return kTraits;
  }

  [[nodiscard]] std::string_view why_nothing_is_drawn() const override {
    return "a code without a distribution has no scale, no KL divergence and nothing to draw";
  }
  [[nodiscard]] std::string_view why_no_kl() const override {
    return "it concerns the KL term, which a deterministic latent does not have; --latent-l2 penalizes large "
           "codes";
  }
  [[nodiscard]] bool has_code_penalty() const override { return true; }
  [[nodiscard]] double loss_weight(const RunConfig& config) const override {
    return config.objective.latent_l2;
  }

  [[nodiscard]] bool head_is_code() const override { return true; }

  LatentPass forward(PlanBuilder& /*build*/, View head, const LatentDraw& /*draw*/) const override {
    LatentPass pass;
    pass.head = head;
    pass.z = head;
    return pass;
  }
  View mean(PlanBuilder& /*build*/, View head) const override { return head; }
  void add_terms(PlanBuilder& /*build*/, LatentPass& /*pass*/, const ObjectiveConfig& /*objective*/,
                 std::vector<LossRows>& /*loss*/) const override {}

  View backward(PlanBuilder& build, const LatentPass& pass, View dz, const LatentGradient& gradient,
                std::vector<LossRows>& loss) const override {
    if (gradient.config.objective.latent_l2 > 0.0) {
      loss.push_back({{math::LossTermKind::code_penalty, math::LossWeight::scheduled},
                      penalty(build, pass.z, dz, gradient.per_row)});
    }
    return dz;
  }

  void store_terms(PlanBuilder& build, const LatentPass& pass, std::int64_t rows,
                   std::int64_t /*head_rows*/) const override {
    build.store(penalty(build, pass.z, View{}, 1.0f), exchanged::kPenalty, rows);
  }

  double evaluate(const EvaluatedRows& rows, const RunConfig& /*config*/,
                  LossTerms& /*terms*/) const override {
    return rows.mean(exchanged::kPenalty);
  }

 private:
  /// Mean squared code of each row; `dz` may be invalid.
  static View penalty(PlanBuilder& build, View z, View dz, float gradient_scale) {
    LatentPenalty op;
    op.z = z;
    op.penalty = build.activation("penalty", 1);
    op.dz = dz;
    op.gradient_scale = gradient_scale;
    build.add(op);
    return op.penalty;
  }
};

}  // namespace

const Latent& deterministic_latent();
const Latent& deterministic_latent() {
  static const DeterministicLatent kLatent;
  return kLatent;
}

}  // namespace vaecuda
