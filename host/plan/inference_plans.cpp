// Passes over data without training: evaluation, encoding, decoding, generation, reconstruction.
#include <algorithm>

#include "host/latents/latent.hpp"
#include "host/plan/exchanged.hpp"
#include "host/plan/plan_builder.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {

std::string why_no_prior(const ModelConfig& model) {
  return std::string(traits_of(model.latent).no_prior);
}

Plan build_evaluation_plan(const ParameterLayout& layout, const ModelConfig& model,
                           const Preparation& preparation, DataShape data, std::uint64_t seed,
                           std::int64_t head_rows) {
  PlanBuilder build(layout, model, "evaluation", data.block);
  const View x = build.gather(preparation, data, RowOrder::sequential, seed);
  const View head = build.encoder(x, false).out;
  const LatentPass latent = build.latent().forward(build, head, {seed, math::RandomPurpose::evaluate});
  const PlanBuilder::Reconstruction likelihood = build.likelihood(build.decoder(latent.z, false).out, x);
  build.store(likelihood.nll, exchanged::kNll, data.rows);
  build.latent().store_terms(build, latent, data.rows, head_rows);
  return build.finish_inference();
}

Plan build_log_likelihood_plan(const ParameterLayout& layout, const ModelConfig& model,
                               const Preparation& preparation, DataShape data, std::int64_t samples,
                               std::uint64_t seed, std::int64_t head_rows) {
  const Latent& kind = latent_of(layout.latent().kind);
  if (!kind.traits().has_density) {
    throw ConfigError(
        "importance sampling needs the density of the posterior: only a model with --latent gaussian has "
        "one");
  }
  std::int64_t block = kImportanceBlock / samples;
  if (data.block < kInferenceBatch) block = std::min(block, data.block);
  PlanBuilder build(layout, model, "log-likelihood", std::max<std::int64_t>(1, block));
  const View x = build.gather(preparation, data, RowOrder::sequential, seed, samples);
  const View head = build.encoder(x, false).out;
  const LatentPass latent = kind.forward(build, head, {seed, math::RandomPurpose::evaluate, samples, true});
  const PlanBuilder::Reconstruction likelihood = build.likelihood(build.decoder(latent.z, false).out, x);
  const ImportanceWeights importance = build.importance_weights(likelihood.nll, latent.log_ratio, false);
  build.store(importance.loss, exchanged::kNll, data.rows);
  build.store(importance.reconstruction, exchanged::kReconstruction, data.rows);
  build.store(importance.kl, exchanged::kKl, data.rows);
  if (head_rows > 0) build.store(head, exchanged::kHead, head_rows);
  return build.finish_inference();
}

Plan build_encode_plan(const ParameterLayout& layout, const ModelConfig& model,
                       const Preparation& preparation, DataShape data) {
  PlanBuilder build(layout, model, "encode", data.block);
  const View x = build.gather(preparation, data, RowOrder::sequential, 0, 0);
  build.latent().store_codes(build, build.encoder(x, false).out, data);
  return build.finish_inference();
}

Plan build_decode_plan(const ParameterLayout& layout, const ModelConfig& model, std::int64_t rows,
                       std::int64_t block) {
  PlanBuilder build(layout, model, "decode", block);
  LoadRows load;
  load.whole = build.exchange(exchanged::kLatents, rows, model.latent_dim);
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
  const View z = build.latent().draw(build, seed);
  build.load_condition(rows);
  build.observation_mean(z, rows);
  return build.finish_inference();
}

Plan build_reconstruct_plan(const ParameterLayout& layout, const ModelConfig& model,
                            const Preparation& preparation, DataShape data) {
  PlanBuilder build(layout, model, "reconstruct", data.block);
  const View x = build.gather(preparation, data, RowOrder::sequential, 0);
  build.store(x, exchanged::kPrepared, data.rows);
  const View head = build.encoder(x, false).out;
  build.observation_mean(build.latent().mean(build, head), data.rows, x);
  return build.finish_inference();
}

}  // namespace vaecuda
