// One training step.
#include <fmt/format.h>

#include "host/config/enumerators.hpp"
#include "host/latents/latent.hpp"
#include "host/plan/plan_builder.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

math::Schedule schedule_of(const OptimizerConfig& optimizer, const TrainingPlanInputs& inputs) {
  math::Schedule schedule;
  const std::int64_t batch = inputs.config.train.batch_size;
  schedule.kind = config::same_as<math::ScheduleKind>(optimizer.schedule.kind);
  schedule.lr = optimizer.lr;
  schedule.min_fraction = optimizer.schedule.min_fraction;
  schedule.gamma = optimizer.schedule.gamma;
  schedule.warmup_steps = optimizer.schedule.warmup_steps;
  schedule.total_steps = inputs.total_steps;
  schedule.rows = inputs.data.rows;
  schedule.batch = batch;
  if (optimizer.schedule.stages.size() > static_cast<std::size_t>(math::kMaxStages)) {
    throw ConfigError(fmt::format("--lr-schedule stages: {} stages, but at most {} are possible",
                                  optimizer.schedule.stages.size(), math::kMaxStages));
  }
  schedule.stage_count = static_cast<int>(optimizer.schedule.stages.size());
  for (std::size_t i = 0; i < optimizer.schedule.stages.size(); ++i) {
    const LrStage& stage = optimizer.schedule.stages[i];
    // Epoch e ends after step ceil(e·N/B); the stage starts with the next one.
    schedule.stage_step[i] = (stage.epoch * inputs.data.rows + batch - 1) / batch;
    schedule.stage_lr[i] = stage.lr;
  }
  return schedule;
}

AdamUpdate update_of(const OptimizerConfig& optimizer, const ParameterLayout& layout) {
  const math::AdamConstants<float> constants{.beta1 = static_cast<float>(optimizer.beta1),
                                             .beta2 = static_cast<float>(optimizer.beta2),
                                             .epsilon = static_cast<float>(optimizer.epsilon),
                                             .weight_decay = static_cast<float>(optimizer.weight_decay),
                                             .decoupled = optimizer.kind == OptimizerKind::adamw,
                                             .one_minus_beta1 = static_cast<float>(1.0 - optimizer.beta1),
                                             .one_minus_beta2 = static_cast<float>(1.0 - optimizer.beta2)};
  AdamUpdate update{constants, {}};
  for (const Region& region : layout.regions(optimizer)) {
    if (region.rule == UpdateRule::adam) update.ranges.push_back({region.offset, region.count});
  }
  return update;
}

/// The norm before the update; that looks at the loss as well where a step can be skipped.
GradNorm norm_of(const OptimizerConfig& optimizer, const AdvanceStep& advance, bool skips) {
  GradNorm norm;
  constexpr float kSquarable = 1.8e19f;  // without clipping: what fp32 can square
  norm.clip_norm = optimizer.clip_norm > 0.0 ? static_cast<float>(optimizer.clip_norm) : kSquarable;
  if (skips) norm.loss = advance.loss;
  return norm;
}

/// The ops of one training step up to its end.
class Step {
 public:
  Step(PlanBuilder& build, const TrainingPlanInputs& inputs)
      : build_(build),
        config_(inputs.config),
        kind_(latent_of(inputs.layout.latent().kind)),
        per_row_(inputs.config.objective.reduce == Reduction::sum
                     ? 1.0f
                     : 1.0f / static_cast<float>(inputs.config.train.batch_size)) {}

  /// Forward and backward pass; gives what the step reports.
  AdvanceStep run(View x) {
    const std::int64_t samples = config_.objective.samples;
    encoder_ = build_.encoder(x, true);
    latent_ = kind_.forward(build_, encoder_.out,
                            {config_.train.seed, math::RandomPurpose::latent, samples, weighted()});
    decoder_ = build_.decoder(latent_.z, true);
    const PlanBuilder::Reconstruction likelihood =
        build_.likelihood(decoder_.out, x, weighted() ? 1.0f : per_row_ / static_cast<float>(samples));
    AdvanceStep report;
    LatentGradient gradient{config_, per_row_};
    if (weighted()) {
      gradient.weights = weigh(likelihood, report.loss);
    } else {
      report.loss.push_back({{math::LossTermKind::reconstruction, math::LossWeight::one}, likelihood.nll});
      kind_.add_terms(build_, latent_, config_.objective, report.loss);
    }
    const View dz = build_.decoder_backward(decoder_, likelihood.gradient);
    build_.encoder_backward(encoder_, kind_.backward(build_, latent_, dz, gradient, report.loss));
    build_.likelihood_backward(likelihood);
    report.perplexity = kind_.move_before_norm(build_, latent_, config_);
    return report;
  }
  /// Moves what follows the rows and not a gradient, behind the norm; gives the perplexities, or nothing.
  View move_after_norm() { return kind_.move_after_norm(build_, latent_, config_); }

 private:
  [[nodiscard]] bool weighted() const { return config_.objective.kind == ObjectiveKind::iwae; }

  /// The importance-weighted bound: the likelihood's gradients take the samples' weights, which are given.
  View weigh(const PlanBuilder::Reconstruction& likelihood, std::vector<LossRows>& loss) {
    const ImportanceWeights importance = build_.importance_weights(likelihood.nll, latent_.log_ratio, true);
    build_.add(WeighRows{importance.weights, likelihood.gradient, per_row_});
    if (likelihood.parameter_gradient.valid())
      build_.add(WeighRows{importance.weights, likelihood.parameter_gradient, per_row_});
    loss = {{{math::LossTermKind::reconstruction, math::LossWeight::none}, importance.reconstruction},
            {{math::LossTermKind::kl, math::LossWeight::none}, importance.kl},
            {{math::LossTermKind::importance_bound, math::LossWeight::one}, importance.loss}};
    return importance.weights;
  }

  PlanBuilder& build_;
  const RunConfig& config_;
  const Latent& kind_;
  float per_row_;  ///< weight of a row in the gradient
  PlanBuilder::Network encoder_;
  PlanBuilder::Network decoder_;
  LatentPass latent_;
};

}  // namespace

math::LossSchedule loss_schedule_of(const RunConfig& config) {
  const ObjectiveConfig& objective = config.objective;
  math::LossSchedule schedule;
  schedule.beta = latent_of(config.model.latent).loss_weight(config);
  schedule.kind = config::same_as<math::LossScheduleKind>(objective.beta_schedule->kind);
  schedule.steps = objective.beta_schedule->steps;
  schedule.ramp = objective.beta_schedule->ramp;
  schedule.capacity = objective.capacity;
  schedule.capacity_steps = objective.capacity_steps;
  return schedule;
}

Plan build_training_plan(const TrainingPlanInputs& inputs) {
  const RunConfig& config = inputs.config;
  PlanBuilder build(inputs.layout, config.model, "training step", config.train.batch_size);
  const View x = build.gather(inputs.preparation, inputs.data, RowOrder::shuffled, config.train.seed,
                              config.objective.samples);
  Step step(build, inputs);
  AdvanceStep advance = step.run(x);

  const OptimizerConfig& optimizer = config.optimizer;
  const bool skips = config.train.on_nonfinite == NonfiniteAction::skip;
  if (optimizer.clip_norm > 0.0 || skips) build.add(norm_of(optimizer, advance, skips));
  // Codes that follow averages move no more than the weights do in a step without an update.
  if (const View moved = step.move_after_norm(); moved.valid()) advance.perplexity = moved;
  build.add(update_of(optimizer, inputs.layout));

  advance.skip_nonfinite = skips;
  advance.schedule = schedule_of(optimizer, inputs);
  advance.beta1 = optimizer.beta1;
  // A second moment that starts at 1 is not biased towards 0: nothing has to be corrected.
  advance.beta2 = optimizer.v_init == 0 ? optimizer.beta2 : 0.0;
  advance.loss_schedule = loss_schedule_of(config);
  build.add(advance);
  return build.finish();
}

}  // namespace vaecuda
