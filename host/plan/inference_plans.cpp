// Passes over data without training: evaluation, encoding, decoding, generation, reconstruction.
#include <algorithm>

#include "host/plan/plan_builder.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {

std::string why_no_prior(const ModelConfig& model) {
  if (model.latent != LatentKind::deterministic) return "";
  return "a model with --latent deterministic has no distribution of codes to draw from: decode given codes, "
         "or "
         "train with --latent gaussian";
}

Plan build_evaluation_plan(const ParameterLayout& layout, const ModelConfig& model,
                           const Preparation& preparation, DataShape data, std::uint64_t seed,
                           std::int64_t head_rows) {
  PlanBuilder build(layout, model, "evaluation", data.block);
  const View x = build.gather(preparation, data, RowOrder::sequential, seed);
  const View head = build.encoder(x, false).out;
  const PlanBuilder::Latent latent = build.latent(head, seed, math::RandomPurpose::evaluate, 1);
  const LikelihoodForwardBackward likelihood = build.likelihood(build.decoder(latent.z, false).out, x);
  build.store(likelihood.nll, "rows.nll", data.rows);
  if (latent.kl.valid()) {
    build.store(latent.kl, "rows.kl", data.rows);
    if (head_rows > 0) build.store(head, "rows.head", head_rows);
  } else if (latent.codes.valid()) {
    build.store(latent.error, "rows.error", data.rows);
    build.store(latent.codes, "rows.codes", data.rows);
  } else {
    build.store(build.latent_penalty(latent.z, View{}, 1.0f), "rows.penalty", data.rows);
  }
  return build.finish_inference();
}

Plan build_log_likelihood_plan(const ParameterLayout& layout, const ModelConfig& model,
                               const Preparation& preparation, DataShape data, std::int64_t samples,
                               std::uint64_t seed, std::int64_t head_rows) {
  if (model.latent != LatentKind::gaussian) {
    throw ConfigError(
        "importance sampling needs the density of the posterior: only a model with --latent gaussian has "
        "one");
  }
  std::int64_t block = kImportanceBlock / samples;
  if (data.block < kInferenceBatch) block = std::min(block, data.block);
  PlanBuilder build(layout, model, "log-likelihood", std::max<std::int64_t>(1, block));
  const View x = build.gather(preparation, data, RowOrder::sequential, seed, samples);
  const View head = build.encoder(x, false).out;
  const PlanBuilder::Latent latent = build.latent(head, seed, math::RandomPurpose::evaluate, samples, true);
  const LikelihoodForwardBackward likelihood = build.likelihood(build.decoder(latent.z, false).out, x);
  const ImportanceWeights importance = build.importance_weights(likelihood.nll, latent.log_ratio, false);
  build.store(importance.loss, "rows.nll", data.rows);
  build.store(importance.reconstruction, "rows.reconstruction", data.rows);
  build.store(importance.kl, "rows.kl", data.rows);
  if (head_rows > 0) build.store(head, "rows.head", head_rows);
  return build.finish_inference();
}

Plan build_encode_plan(const ParameterLayout& layout, const ModelConfig& model,
                       const Preparation& preparation, DataShape data) {
  PlanBuilder build(layout, model, "encode", data.block);
  const View x = build.gather(preparation, data, RowOrder::sequential, 0, 0);
  const View head = build.encoder(x, false).out;
  if (model.latent == LatentKind::vq) {
    const PlanBuilder::Latent latent = build.latent(head, 0, math::RandomPurpose::evaluate, 1);
    build.store(latent.codes, "rows.codes", data.rows);
    build.store(latent.z, data.exchanged ? "rows.mu" : "rows.z", data.rows);
    return build.finish_inference();
  }
  if (!data.exchanged) {
    build.store(head, "rows.head", data.rows);
    return build.finish_inference();
  }
  const std::int64_t latents = model.latent_dim;
  build.store(Plan::columns(head, 0, latents), "rows.mu", data.rows);
  if (head.cols == 2 * latents) build.store(Plan::columns(head, latents, latents), "rows.logvar", data.rows);
  return build.finish_inference();
}

Plan build_decode_plan(const ParameterLayout& layout, const ModelConfig& model, std::int64_t rows,
                       std::int64_t block) {
  PlanBuilder build(layout, model, "decode", block);
  LoadRows load;
  load.whole = build.exchange("rows.z", rows, model.latent_dim);
  load.batch = build.code(block);
  build.add(load);
  build.load_condition(rows);
  build.observation_mean(load.batch, rows);
  return build.finish_inference();
}

Plan build_generate_plan(const ParameterLayout& layout, const ModelConfig& model, std::int64_t rows,
                         std::uint64_t seed, std::int64_t block) {
  if (const std::string reason = why_no_prior(model); !reason.empty()) throw ConfigError(reason);
  PlanBuilder build(layout, model, "generate", block);
  if (model.latent == LatentKind::vq) {
    const View z = build.sample_codes(seed);
    build.load_condition(rows);
    build.observation_mean(z, rows);
    return build.finish_inference();
  }
  SamplePrior prior;
  prior.z = build.code(block);
  prior.seed = seed;
  build.add(prior);
  build.load_condition(rows);
  build.observation_mean(prior.z, rows);
  return build.finish_inference();
}

Plan build_reconstruct_plan(const ParameterLayout& layout, const ModelConfig& model,
                            const Preparation& preparation, DataShape data) {
  PlanBuilder build(layout, model, "reconstruct", data.block);
  const View x = build.gather(preparation, data, RowOrder::sequential, 0);
  build.store(x, "rows.x", data.rows);
  const View head = build.encoder(x, false).out;
  build.observation_mean(build.latent_mean(head), data.rows);
  return build.finish_inference();
}

}  // namespace vaecuda
