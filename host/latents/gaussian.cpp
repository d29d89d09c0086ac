// A Gaussian latent: q(z|x) = N(mu, e^logvar) against p(z) = N(0, 1), sampled by reparameterization.
#include <algorithm>
#include <cmath>

#include "host/config/enumerators.hpp"
#include "host/evaluate/latent_moments.hpp"
#include "host/inference/latents.hpp"
#include "host/latents/latent.hpp"
#include "host/plan/exchanged.hpp"
#include "host/plan/plan_builder.hpp"

namespace vaecuda {
namespace {

math::ScaleHead scale_head_of(const ModelConfig& model) {
  return config::same_as<math::ScaleHead>(model.logvar_head.value());
}

class GaussianLatent final : public Latent {
 public:
  [[nodiscard]] const LatentTraits& traits() const override {
    static constexpr LatentTraits kTraits{
        .adjective = "Gaussian", .has_density = true, .has_normal_prior = true};
    return kTraits;
  }

  [[nodiscard]] double loss_weight(const RunConfig& config) const override { return config.objective.beta; }

  [[nodiscard]] std::int64_t head_columns(std::int64_t latent_columns) const override {
    return 2 * latent_columns;
  }

  LatentPass forward(PlanBuilder& build, View head, const LatentDraw& draw) const override {
    LatentForward op;
    op.head = head;
    op.z = build.code(head.rows * draw.samples);
    op.kl = build.activation("kl", 1);
    if (draw.weighted) op.log_ratio = build.activation("log_ratio", head.rows * draw.samples, 1);
    op.scale_head = scale_head_of(build.model());
    op.seed = draw.seed;
    op.purpose = draw.purpose;
    build.add(op);
    LatentPass pass;
    pass.head = head;
    pass.z = op.z;
    pass.kl = op.kl;
    pass.log_ratio = op.log_ratio;
    return pass;
  }

  View mean(PlanBuilder& build, View head) const override {
    LatentForward op;
    op.head = head;
    op.z = build.code(head.rows);
    op.scale_head = scale_head_of(build.model());
    op.sample = false;
    build.add(op);
    return op.z;
  }

  void add_terms(PlanBuilder& build, LatentPass& pass, const ObjectiveConfig& objective,
                 std::vector<LossRows>& loss) const override {
    if (objective.free_bits <= 0.0 && objective.capacity <= 0.0) {
      loss.push_back({{math::LossTermKind::kl, math::LossWeight::scheduled}, pass.kl});
      return;
    }
    LatentKl op;
    op.head = pass.head;
    op.kl = build.activation("latent_kl", 1, build.model().latent_dim);
    op.slope = build.activation("kl_slope", 1, build.model().latent_dim);
    op.term = build.activation("kl_term", 1, 1);
    op.scale_head = scale_head_of(build.model());
    op.kind = objective.capacity > 0.0 ? math::KlTermKind::capacity : math::KlTermKind::free_bits;
    op.free_bits = static_cast<float>(objective.free_bits);
    build.add(op);
    pass.kl_slope = op.slope;
    loss.push_back({{math::LossTermKind::kl, math::LossWeight::none}, pass.kl});
    loss.push_back({{math::LossTermKind::bounded_kl, math::LossWeight::scheduled}, op.term});
  }

  View backward(PlanBuilder& build, const LatentPass& pass, View dz, const LatentGradient& gradient,
                std::vector<LossRows>& /*loss*/) const override {
    LatentBackward op;
    op.head = pass.head;
    op.dz = dz;
    op.dhead = build.activation("dhead", pass.head.cols);
    op.kl_slope = pass.kl_slope;
    op.weights = gradient.weights;
    op.scale_head = scale_head_of(build.model());
    op.seed = gradient.config.train.seed;
    op.purpose = math::RandomPurpose::latent;
    op.gradient_scale = gradient.per_row;
    build.add(op);
    return op.dhead;
  }

  void store_terms(PlanBuilder& build, const LatentPass& pass, std::int64_t rows,
                   std::int64_t head_rows) const override {
    build.store(pass.kl, exchanged::kKl, rows);
    if (head_rows > 0) build.store(pass.head, exchanged::kHead, head_rows);
  }

  View draw(PlanBuilder& build, std::uint64_t seed) const override {
    SamplePrior prior;
    prior.z = build.code(build.batch());
    prior.seed = seed;
    build.add(prior);
    return prior.z;
  }

  double evaluate(const EvaluatedRows& rows, const RunConfig& config, LossTerms& terms) const override {
    const ModelConfig& model = config.model;
    const std::vector<float> heads = rows.read(exchanged::kHead);
    const auto width = static_cast<std::size_t>(model.latent_dim);
    const float factor = math::logvar_factor(scale_head_of(model));
    LatentMoments moments(model.latent_dim);
    for (std::size_t at = 0; at < heads.size(); at += 2 * width) {
      const std::span<const float> head = std::span(heads).subspan(at, 2 * width);
      moments.add(head.first(width), head.last(width), factor);
    }
    LatentTerms latents;
    for (const Moments& kl : moments.kl()) latents.kl.push_back(kl.mean());
    latents.active_units = moments.active_units();
    terms.latents = std::move(latents);
    terms.kl = rows.mean(exchanged::kKl);
    const double capacity = config.objective.capacity;
    return capacity > 0.0 ? std::fabs(terms.kl - capacity) : terms.kl;
  }

  [[nodiscard]] std::vector<float> draw_rows(std::int64_t first, std::int64_t count,
                                             const LatentLayout& latent,
                                             std::span<const float> /*parameters*/, std::uint64_t seed,
                                             double temperature) const override {
    return draw_prior(first, count, latent.columns, seed, temperature);
  }
};

}  // namespace

const Latent& gaussian_latent();
const Latent& gaussian_latent() {
  static const GaussianLatent kLatent;
  return kLatent;
}

}  // namespace vaecuda
