// Builds the plans of an MLP VAE from its parameter layout.
#pragma once

#include <cstdint>
#include <string>

#include "host/data/preparation.hpp"
#include "host/model/layout.hpp"
#include "host/plan/plan.hpp"
#include "kernels/math/step_state.h"
#include "vaecuda/config.hpp"

namespace vaecuda {

struct TrainingPlanInputs {
  const ParameterLayout& layout;
  const RunConfig& config;
  const Preparation& preparation;
  DataShape data;
  std::int64_t total_steps = 1;
};

/// Weight of the loss's scheduled term and capacity of the KL, by step.
[[nodiscard]] math::LossSchedule loss_schedule_of(const RunConfig& config);

/// One training step over a batch of config.train.batch_size rows.
[[nodiscard]] Plan build_training_plan(const TrainingPlanInputs& inputs);

/// The terms of every row's loss, one z sampled per row: exchange buffers "rows.nll" (N,1) and "rows.kl"
/// (N,1). A deterministic latent has no KL but "rows.penalty" (N,1), the code's mean square; a quantized one
/// "rows.error" (N,1), the squared distance to its codes, and "rows.codes" (N,G). Of a Gaussian latent also
/// "rows.head" (head_rows,2Z) of the first rows, as build_encode_plan, where any are asked for.
[[nodiscard]] Plan build_evaluation_plan(const ParameterLayout& layout, const ModelConfig& model,
                                         const Preparation& preparation, DataShape data, std::uint64_t seed,
                                         std::int64_t head_rows = 0);

/// (row, sample) pairs that importance sampling computes at a time, at least: as many whole rows as fit.
inline constexpr std::int64_t kImportanceBlock = 1024;

/// The importance-weighted bound of every row from `samples` samples (Burda et al., arXiv 1509.00519):
/// exchange buffers "rows.nll" (N,1) = −log (1/K Σ w), and "rows.reconstruction" and "rows.kl" (N,1), the
/// means of the two terms of −log w under the weights. A row's figures do not depend on the other rows.
/// "rows.head" as build_evaluation_plan. \throws ConfigError for a latent without a density
[[nodiscard]] Plan build_log_likelihood_plan(const ParameterLayout& layout, const ModelConfig& model,
                                             const Preparation& preparation, DataShape data,
                                             std::int64_t samples, std::uint64_t seed,
                                             std::int64_t head_rows = 0);

/// Posteriors: exchange buffer "rows.head" (N,2Z) = [mu | logvar]; of a deterministic latent (N,Z), the
/// codes. Of exchanged rows each half has a buffer of its own, "rows.mu" and "rows.logvar" (N,Z). Of a
/// quantized latent "rows.codes" (N,G), indices from 0, and "rows.z" or "rows.mu" (N,Z), the codes' vectors.
[[nodiscard]] Plan build_encode_plan(const ParameterLayout& layout, const ModelConfig& model,
                                     const Preparation& preparation, DataShape data);

/// Means of p(x|z) for given latents: exchange buffers "rows.z" (N,Z) in, "rows.mean" (N,D) out. A
/// conditional model also reads "rows.condition" (N,C): one-hot classes or label vectors.
[[nodiscard]] Plan build_decode_plan(const ParameterLayout& layout, const ModelConfig& model,
                                     std::int64_t rows, std::int64_t block = kInferenceBatch);

/// Why nothing can be drawn from the model; empty where it has a prior.
[[nodiscard]] std::string why_no_prior(const ModelConfig& model);

/// Rows drawn from the model, from the prior or from codes drawn alike: exchange buffer "rows.mean" (N,D),
/// "rows.condition" (N,C) as for decoding.
/// \throws ConfigError where it has no prior.
[[nodiscard]] Plan build_generate_plan(const ParameterLayout& layout, const ModelConfig& model,
                                       std::int64_t rows, std::uint64_t seed,
                                       std::int64_t block = kInferenceBatch);

/// Posterior mean (or code) of each row, decoded: exchange buffers "rows.x" (N,D) the prepared rows,
/// "rows.mean" (N,D).
[[nodiscard]] Plan build_reconstruct_plan(const ParameterLayout& layout, const ModelConfig& model,
                                          const Preparation& preparation, DataShape data);

}  // namespace vaecuda
