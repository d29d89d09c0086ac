#include "host/train/evaluator.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

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

PassKey key_of(const ModelConfig& model, const RunConfig& config, std::int64_t rows,
               std::int64_t head_bytes) {
  PassKey key{PassKind::evaluate};
  key.seed = config.train.seed;
  key.head_rows = head_rows_of(model, rows, head_bytes);
  if (config.objective.kind == ObjectiveKind::iwae) {
    key.kind = PassKind::likelihood;
    key.samples = config.objective.samples;
  }
  return key;
}

}  // namespace

Evaluator::Evaluator(const ModelOnDevice& model, const RunConfig& config, const Dataset& data,
                     std::int64_t head_bytes)
    : config_(config),
      rows_(data.rows()),
      pass_(model, key_of(model.model, config, data.rows(), head_bytes), data) {}

LossTerms Evaluator::evaluate() {
  return *evaluate({});
}

std::optional<LossTerms> Evaluator::evaluate(const PassWatch& watch) {
  if (!pass_.run_all(watch)) return std::nullopt;
  const auto read = [&](const char* name) { return pass_.read(name); };
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
