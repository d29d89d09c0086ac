#include "host/train/evaluator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>

#include "host/evaluate/latent_moments.hpp"
#include "kernels/math/codebook.h"

namespace vaecuda {
namespace {

double weight_of(const RunConfig& config) {
  switch (config.model.latent) {
    case LatentKind::gaussian:
      return config.objective.beta;
    case LatentKind::deterministic:
      return config.objective.latent_l2;
    case LatentKind::vq:
      return quantization_weight(config);
  }
  return 0.0;
}

/// The perplexity of every codebook over all rows; codes (rows, G).
QuantizationTerms usage_of(const std::vector<float>& codes, std::int64_t rows, std::int64_t size) {
  const std::size_t groups = codes.size() / static_cast<std::size_t>(rows);
  QuantizationTerms terms;
  for (std::size_t g = 0; g < groups; ++g) {
    std::vector<double> counts(static_cast<std::size_t>(size));
    for (std::size_t i = g; i < codes.size(); i += groups) counts[static_cast<std::size_t>(codes[i])] += 1.0;
    double sum = 0.0;
    for (const double count : counts) sum += math::count_times_log(count);
    const double perplexity = math::perplexity_of(sum, static_cast<double>(rows));
    terms.perplexity += perplexity / static_cast<double>(groups);
    terms.least_perplexity = g == 0 ? perplexity : std::min(terms.least_perplexity, perplexity);
  }
  return terms;
}

/// Rows whose posteriors are kept for the figures of each latent: all, or the first ones that so many bytes
/// hold.
std::int64_t head_rows_of(const ModelConfig& model, std::int64_t rows, std::int64_t bytes) {
  const auto row_bytes = static_cast<std::int64_t>(2 * sizeof(float)) * model.latent_dim;
  return std::min(rows, std::max(bytes / row_bytes, std::int64_t{1}));
}

/// heads (rows,2Z) = [mu | scale].
LatentTerms latent_terms_of(const std::vector<float>& heads, std::int64_t latents, float logvar_factor) {
  LatentMoments moments(latents);
  const auto width = static_cast<std::size_t>(latents);
  for (std::size_t at = 0; at < heads.size(); at += 2 * width) {
    const std::span<const float> head = std::span(heads).subspan(at, 2 * width);
    moments.add(head.first(width), head.last(width), logvar_factor);
  }
  LatentTerms terms;
  for (const Moments& kl : moments.kl()) terms.kl.push_back(kl.mean());
  terms.active_units = moments.active_units();
  return terms;
}

Plan plan_of(const ParameterLayout& layout, const RunConfig& config, const Preparation& preparation,
             DataShape data, std::int64_t head_bytes) {
  const std::int64_t head_rows = head_rows_of(config.model, data.rows, head_bytes);
  if (config.objective.kind == ObjectiveKind::iwae) {
    return build_log_likelihood_plan(layout, config.model, preparation, data, config.objective.samples,
                                     config.train.seed, head_rows);
  }
  return build_evaluation_plan(layout, config.model, preparation, data, config.train.seed, head_rows);
}

}  // namespace

Evaluator::Evaluator(Backend& backend, const ParameterLayout& layout, const RunConfig& config,
                     const Preparation& preparation, const Dataset& data, ParameterStore& store,
                     std::int64_t head_bytes)
    : objective_(config.objective),
      latent_(config.model.latent),
      weight_(weight_of(config)),
      codebook_size_(config.model.codebook_size),
      rows_(data.rows()),
      latents_(config.model.latent_dim),
      logvar_factor_(config.model.logvar_head == LogvarHead::logsigma ? 2.0f : 1.0f),
      plan_(plan_of(layout, config, preparation, shape_of(data), head_bytes)),
      resident_(backend.make_resident(data)),
      program_(backend.compile(plan_, store, resident_.get())) {}

LossTerms Evaluator::evaluate() {
  return *evaluate({});
}

std::optional<LossTerms> Evaluator::evaluate(const EvaluationWatch& watch) {
  constexpr double kBetweenLooks = 0.25;
  using Clock = std::chrono::steady_clock;
  program_->set_position(0);
  const bool watched = watch.stop || watch.told;
  const std::int64_t all = (rows_ + plan_.batch - 1) / plan_.batch;
  std::int64_t blocks = all;
  for (std::int64_t chunk = watched ? 1 : all; blocks > 0;) {
    if (watch.stop && watch.stop()) return std::nullopt;
    const Clock::time_point began = Clock::now();
    program_->run(std::min(chunk, blocks));
    blocks -= std::min(chunk, blocks);
    if (watched) static_cast<void>(program_->fault());  // waits until the work is done
    if (watch.told) {
      const std::int64_t done = std::min(rows_, (all - blocks) * plan_.batch);
      watch.told({watch.pass, done, rows_, static_cast<double>(done) / static_cast<double>(rows_)});
    }
    if (std::chrono::duration<double>(Clock::now() - began).count() < kBetweenLooks / 2) chunk *= 2;
  }
  const auto read = [&](const char* name) {
    const int buffer = plan_.find_buffer(name);
    std::vector<float> values(
        static_cast<std::size_t>(plan_.buffers[static_cast<std::size_t>(buffer)].size()));
    program_->read(buffer, values);
    return values;
  };
  const auto mean = [&](const char* name) {
    const std::vector<float> values = read(name);
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(rows_);
  };
  LossTerms terms;
  if (latent_ == LatentKind::gaussian) {
    terms.latents = latent_terms_of(read("rows.head"), latents_, logvar_factor_);
  }
  if (objective_.kind == ObjectiveKind::iwae) {
    terms.loss = mean("rows.nll");
    terms.reconstruction = mean("rows.reconstruction");
    terms.kl = mean("rows.kl");
    return terms;
  }
  terms.reconstruction = mean("rows.nll");
  double added = 0.0;
  switch (latent_) {
    case LatentKind::gaussian:
      terms.kl = mean("rows.kl");
      added = objective_.capacity > 0.0 ? std::fabs(terms.kl - objective_.capacity) : terms.kl;
      break;
    case LatentKind::deterministic:
      added = mean("rows.penalty");
      break;
    case LatentKind::vq:
      added = mean("rows.error");
      terms.quantization = usage_of(read("rows.codes"), rows_, codebook_size_);
      terms.quantization->error = added;
      break;
  }
  terms.loss = terms.reconstruction + weight_ * added;
  return terms;
}

}  // namespace vaecuda
