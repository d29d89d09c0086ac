#include "host/train/evaluator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>

#include "host/latents/latent.hpp"
#include "host/plan/exchanged.hpp"

namespace vaecuda {
namespace {

/// Rows whose posteriors are kept for the figures of each latent: all, or the first ones that so many bytes
/// hold.
std::int64_t head_rows_of(const ModelConfig& model, std::int64_t rows, std::int64_t bytes) {
  const auto row_bytes = static_cast<std::int64_t>(2 * sizeof(float)) * model.latent_dim;
  return std::min(rows, std::max(bytes / row_bytes, std::int64_t{1}));
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
    : config_(config),
      rows_(data.rows()),
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
  const Latent& latent = latent_of(config_.model.latent);
  LossTerms terms;
  const double added = latent.evaluate({rows_, read, mean}, config_, terms);
  if (config_.objective.kind == ObjectiveKind::iwae) {
    terms.loss = mean(exchanged::kNll);
    terms.reconstruction = mean(exchanged::kReconstruction);
    return terms;
  }
  terms.reconstruction = mean(exchanged::kNll);
  terms.loss = terms.reconstruction + latent.loss_weight(config_) * added;
  return terms;
}

}  // namespace vaecuda
