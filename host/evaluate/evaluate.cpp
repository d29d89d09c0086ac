#include "vaecuda/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "host/evaluate/anomalies.hpp"
#include "host/evaluate/factors.hpp"
#include "host/evaluate/information.hpp"
#include "host/evaluate/latent_moments.hpp"
#include "host/evaluate/moments.hpp"
#include "host/evaluate/row_facts.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kAggregateRows = 2000;  // at 20 latents 80 million steps: a fraction of a second
constexpr std::int64_t kMostBins = 10'000;

void check(const EvaluateOptions& options) {
  if (options.samples < 0) {
    throw ConfigError(fmt::format("{} importance samples; expected 0 or more", options.samples));
  }
  if (options.elbo_samples < 1) {
    throw ConfigError(
        fmt::format("{} latent samples of the bound; expected 1 or more", options.elbo_samples));
  }
  if (options.bins < 2 || options.bins > kMostBins) {
    throw ConfigError(fmt::format("{} bins; expected 2 to {}", options.bins, kMostBins));
  }
  if (!(options.active_threshold >= 0.0) || !std::isfinite(options.active_threshold)) {
    throw ConfigError(
        fmt::format("active threshold {}; expected a finite number, 0 or more", options.active_threshold));
  }
}

/// Every pass must meet the same rows.
void check_count(const RowSource& rows, std::int64_t count, const Evaluation& result) {
  if (count == result.rows) return;
  throw FileError(fmt::format("{}: {} rows when read again, {} before; it changed meanwhile", rows.name(),
                              count, result.rows));
}

void add_elbo(const Vae& vae, RowSource& rows, const EvaluateOptions& options, Evaluation& result) {
  Moments negative_elbo;
  Moments reconstruction;
  Moments kl;
  result.elbo_samples = options.elbo_samples;
  result.rows = vae.elbo(rows, options.elbo_samples, result.seed, [&](const ElboBlock& block) {
    for (std::size_t i = 0; i < block.kl.size(); ++i) {
      const auto first_term = static_cast<double>(block.reconstruction[i]);
      const auto second_term = static_cast<double>(block.kl[i]);
      negative_elbo.add(first_term + second_term);
      reconstruction.add(first_term);
      kl.add(second_term);
    }
    auto& per_row = result.per_row;
    per_row.reconstruction.insert(per_row.reconstruction.end(), block.reconstruction.begin(),
                                  block.reconstruction.end());
    per_row.kl.insert(per_row.kl.end(), block.kl.begin(), block.kl.end());
  });
  if (result.rows == 0) throw ConfigError(fmt::format("{}: no rows to evaluate on", rows.name()));
  result.negative_elbo = negative_elbo.estimate();
  result.reconstruction = reconstruction.estimate();
  result.kl = kl.estimate();
}

void add_nll(const Vae& vae, RowSource& rows, const EvaluateOptions& options, Evaluation& result) {
  Moments moments;
  std::vector<float>& per_row = result.per_row.nll;
  const auto sink = [&](const LogLikelihoodBlock& block) {
    for (const float log_likelihood : block.log_likelihood) {
      per_row.push_back(-log_likelihood);
      moments.add(-static_cast<double>(log_likelihood));
    }
    if (options.progress) options.progress(block.first + block.rows);
  };
  const std::int64_t count = vae.log_likelihood(rows, options.samples, result.seed, sink);
  check_count(rows, count, result);
  result.samples = options.samples;
  result.nll = moments.estimate();
  result.nll_bits = bits_per_dimension(result.nll->mean, vae.info());
}

/// Differences in data units become differences in prepared ones. Stochastic and threshold binarization have
/// no part in it: the error is that of the values before them.
void add_errors(const Vae& vae, RowSource& rows, Evaluation& result) {
  const ModelInfo& info = vae.info();
  const auto columns = static_cast<std::size_t>(info.model.input_dim);
  Moments moments;
  const std::int64_t count = vae.reconstruct(rows, [&](const ReconstructedBlock& block) {
    for (std::size_t row = 0; row < static_cast<std::size_t>(block.rows); ++row) {
      double error = 0.0;
      double norm = 0.0;
      for (std::size_t c = 0; c < columns; ++c) {
        const double unit = static_cast<double>(info.scale) *
                            (info.mean.empty() ? 1.0 : static_cast<double>(info.inverse_deviation[c]));
        const double centre = info.mean.empty() ? 0.0
                                                : static_cast<double>(info.mean[c]) *
                                                      static_cast<double>(info.inverse_deviation[c]);
        const auto x = static_cast<double>(block.x[row * columns + c]);
        const double difference = (x - static_cast<double>(block.mean[row * columns + c])) * unit;
        error += difference * difference;
        norm += (x * unit - centre) * (x * unit - centre);
      }
      error /= static_cast<double>(columns);
      moments.add(error);
      result.per_row.squared_error.push_back(static_cast<float>(error));
      result.per_row.norm.push_back(static_cast<float>(norm));
    }
  });
  check_count(rows, count, result);
  result.squared_error = moments.estimate();
}

Encoded encode_all(const Vae& vae, RowSource& rows, const Evaluation& result) {
  Encoded all;
  const std::int64_t count = vae.encode(rows, [&](const EncodedBlock& block) {
    all.mean.insert(all.mean.end(), block.mean.begin(), block.mean.end());
    all.logvar.insert(all.logvar.end(), block.logvar.begin(), block.logvar.end());
  });
  check_count(rows, count, result);
  return all;
}

void add_latents(const Encoded& encoded, std::int64_t latents, double threshold, Evaluation& result) {
  LatentMoments moments(latents);
  const auto width = static_cast<std::size_t>(latents);
  for (std::size_t row = 0; row < static_cast<std::size_t>(result.rows); ++row) {
    const auto part_of = [&](const std::vector<float>& values) {
      return values.empty() ? std::span<const float>() : std::span(values).subspan(row * width, width);
    };
    moments.add(part_of(encoded.mean), part_of(encoded.logvar), 1.0f);
  }
  for (std::size_t j = 0; j < width; ++j) {
    const Moments& mean = moments.means()[j];
    result.latents.push_back(
        {moments.kl()[j].mean(), mean.mean(), mean.variance(), mean.variance() > threshold});
  }
  result.active_units = moments.active_units(threshold);
}

}  // namespace

double bits_per_dimension(double nats, const ModelInfo& model) {
  const auto columns = static_cast<double>(model.model.input_dim);
  const double bits = nats / columns / std::log(2.0);
  if (model.model.likelihood == Likelihood::bernoulli) return bits;
  double log_jacobian = std::log2(static_cast<double>(model.scale));
  for (const float inverse : model.inverse_deviation) {
    log_jacobian += std::log2(static_cast<double>(inverse)) / columns;
  }
  return bits - log_jacobian;
}

Evaluation evaluate(const Vae& vae, const RowOpener& open, const EvaluateOptions& options) {
  check(options);
  const std::int64_t latents = vae.info().model.latent_dim;
  Evaluation result;
  result.seed = options.seed.value_or(vae.info().seed);
  RowFacts facts;
  {
    const auto rows = open();
    NotedRows noted(*rows, facts);
    add_elbo(vae, noted, options, result);
  }
  facts.name_classes();
  // Before the pass that takes most of the time.
  const std::optional<std::int32_t> anomaly = anomaly_label(facts, options);
  result.negative_elbo_bits = bits_per_dimension(result.negative_elbo.mean, vae.info());
  if (options.samples > 0 && vae.info().model.latent == LatentKind::gaussian) {
    add_nll(vae, *open(), options, result);
  }
  add_errors(vae, *open(), result);
  const Encoded encoded = encode_all(vae, *open(), result);
  add_latents(encoded, latents, options.active_threshold, result);
  if (!encoded.logvar.empty()) {
    result.aggregate = aggregate_information({result.rows, latents, encoded.mean, encoded.logvar},
                                             result.seed, kAggregateRows);
  }
  result.factors = factor_figures(facts, encoded.mean, latents, options.bins);
  if (!result.factors.empty()) result.mutual_information_gap = mean_gap(result.factors);
  if (anomaly) result.anomalies = anomaly_figures(facts, *anomaly, result.per_row);
  return result;
}

Evaluation evaluate(const Vae& vae, const Dataset& data, const EvaluateOptions& options) {
  return evaluate(vae, RowOpener([&] { return rows_of(data); }), options);
}

}  // namespace vaecuda
