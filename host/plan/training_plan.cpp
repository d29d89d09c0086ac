// One training step.
#include <fmt/format.h>

#include "host/plan/plan_builder.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

math::Schedule schedule_of(const OptimizerConfig& optimizer, const TrainingPlanInputs& inputs) {
  math::Schedule schedule;
  const std::int64_t batch = inputs.config.train.batch_size;
  schedule.lr = optimizer.lr;
  schedule.min_fraction = optimizer.schedule.min_fraction;
  schedule.gamma = optimizer.schedule.gamma;
  schedule.warmup_steps = optimizer.schedule.warmup_steps;
  schedule.total_steps = inputs.total_steps;
  schedule.rows = inputs.data.rows;
  schedule.batch = batch;
  switch (optimizer.schedule.kind) {
    case LrScheduleKind::constant:
      schedule.kind = math::ScheduleKind::constant;
      break;
    case LrScheduleKind::cosine:
      schedule.kind = math::ScheduleKind::cosine;
      break;
    case LrScheduleKind::exponential:
      schedule.kind = math::ScheduleKind::exponential;
      break;
    case LrScheduleKind::stages:
      schedule.kind = math::ScheduleKind::stages;
      break;
  }
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

AdamUpdate update_of(const OptimizerConfig& optimizer, std::int64_t elements) {
  AdamUpdate adam;
  adam.constants = {static_cast<float>(optimizer.beta1),      static_cast<float>(optimizer.beta2),
                    static_cast<float>(optimizer.epsilon),    static_cast<float>(optimizer.weight_decay),
                    optimizer.kind == OptimizerKind::adamw,   static_cast<float>(1.0 - optimizer.beta1),
                    static_cast<float>(1.0 - optimizer.beta2)};
  adam.elements = elements;
  return adam;
}

}  // namespace

Plan build_training_plan(const TrainingPlanInputs& inputs) {
  const RunConfig& config = inputs.config;
  const std::uint64_t seed = config.train.seed;
  const std::int64_t samples = config.objective.samples;
  const float mean_over_rows = 1.0f / static_cast<float>(config.train.batch_size);
  const float mean_over_samples = 1.0f / static_cast<float>(config.train.batch_size * samples);
  PlanBuilder build(inputs.layout, config.model, "training step", config.train.batch_size);

  const View x = build.gather(inputs.preparation, inputs.data, RowOrder::shuffled, seed, samples);
  const PlanBuilder::Network encoder = build.encoder(x, true);
  const PlanBuilder::Latent latent = build.latent(encoder.out, seed, math::RandomPurpose::latent, samples);
  const PlanBuilder::Network decoder = build.decoder(latent.z, true);

  const LikelihoodForwardBackward likelihood = build.likelihood(decoder.out, x, mean_over_samples);
  const View dz = build.decoder_backward(decoder, likelihood.gradient);
  View regularizer = latent.kl;
  const bool penalized = config.model.latent == LatentKind::deterministic && config.objective.latent_l2 > 0.0;
  if (penalized) regularizer = build.latent_penalty(latent.z, dz, mean_over_rows);
  const OptimizerConfig& optimizer = config.optimizer;
  const double commitment = config.objective.commitment;
  const bool quantized = config.model.latent == LatentKind::vq;
  if (quantized) {
    build.encoder_backward(encoder,
                           build.quantize_backward(latent, encoder.out, dz,
                                                   static_cast<float>(2.0 * commitment) * mean_over_rows));
    regularizer = latent.error;
  } else {
    build.encoder_backward(encoder, build.latent_backward(latent, encoder.out, dz, seed, mean_over_rows));
  }
  build.likelihood_backward(likelihood);
  View perplexity;
  if (quantized) perplexity = build.move_codes(latent, encoder.out, optimizer, seed);

  if (optimizer.clip_norm > 0.0) build.add(GradNorm{static_cast<float>(optimizer.clip_norm)});
  const bool averaged = quantized && optimizer.codebook_update == CodebookUpdate::ema;
  build.add(update_of(optimizer, averaged ? inputs.layout.codebook.codes : inputs.layout.size));

  AdvanceStep advance;
  advance.nll = likelihood.nll;
  advance.kl = regularizer;
  advance.schedule = schedule_of(optimizer, inputs);
  advance.beta1 = optimizer.beta1;
  advance.beta2 = optimizer.beta2;
  advance.perplexity = perplexity;
  advance.kl_weight = penalized   ? config.objective.latent_l2
                      : quantized ? quantization_weight(config)
                                  : config.objective.beta;
  build.add(advance);
  return build.finish();
}

}  // namespace vaecuda
