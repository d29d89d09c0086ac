#include "vaecuda/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>

#include "host/config/limits.hpp"
#include "host/evaluate/anomalies.hpp"
#include "host/evaluate/factors.hpp"
#include "host/evaluate/information.hpp"
#include "host/evaluate/latent_moments.hpp"
#include "host/evaluate/moments.hpp"
#include "host/evaluate/row_facts.hpp"
#include "host/evaluate/warnings.hpp"
#include "vaecuda/latent.hpp"
#include "vaecuda/likelihood.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kAggregateRows = 2000;  // at 20 latents 80 million steps: a fraction of a second
constexpr std::int64_t kMostBins = 10'000;

void check(const EvaluateOptions& options) {
  constexpr std::int64_t kMost = config::kDrawnSamples.max;
  if (options.samples < 0 || options.samples > kMost) {
    throw ConfigError(fmt::format("{} importance samples; expected 0 to {}", options.samples, kMost));
  }
  if (options.elbo_samples < 1 || options.elbo_samples > kMost) {
    throw ConfigError(
        fmt::format("{} latent samples of the bound; expected 1 to {}", options.elbo_samples, kMost));
  }
  if (options.bins < 2 || options.bins > kMostBins) {
    throw ConfigError(fmt::format("{} bins; expected 2 to {}", options.bins, kMostBins));
  }
  if (!(options.active_threshold >= 0.0) || !std::isfinite(options.active_threshold)) {
    throw ConfigError(
        fmt::format("active threshold {}; expected a finite number, 0 or more", options.active_threshold));
  }
}

/// Every pass must read the same rows.
void check_count(const RowSource& rows, std::int64_t count, const Evaluation& result) {
  if (count == result.rows) return;
  throw FileError(fmt::format("{}: {} rows when read again, {} before; it changed meanwhile", rows.name(),
                              count, result.rows));
}

/// Reports the progress of the evaluation. The work of a pass per row is the number of latents that it draws.
class Teller {
 public:
  Teller(const EvaluateOptions& options, bool samples_likelihood)
      : told_(options.progress),
        all_(static_cast<double>(options.elbo_samples) + 2.0 +
             (samples_likelihood ? static_cast<double>(options.samples) : 0.0)) {}

  void begin(std::string_view pass, std::int64_t work, std::optional<std::int64_t> total) {
    before_ += work_;
    work_ = static_cast<double>(work);
    pass_ = pass;
    total_ = total;
    tell(0);
  }
  void tell(std::int64_t rows) const {
    if (!told_) return;
    PassProgress now{pass_, rows, total_, std::nullopt};
    if (total_ && *total_ > 0) {
      now.share = (before_ + work_ * static_cast<double>(rows) / static_cast<double>(*total_)) / all_;
    }
    told_(now);
  }

 private:
  const std::function<void(const PassProgress&)>& told_;
  double all_;
  double before_ = 0.0;
  double work_ = 0.0;
  std::string_view pass_;
  std::optional<std::int64_t> total_;
};

void add_elbo(const Vae& vae, RowSource& rows, const EvaluateOptions& options, Teller& teller,
              Evaluation& result) {
  teller.begin("bound", options.elbo_samples, rows.rows());
  ScoreWatch watch(vae.info());
  std::vector<float> scores;
  Moments negative_elbo;
  Moments reconstruction;
  Moments kl;
  result.elbo_samples = options.elbo_samples;
  result.rows = vae.elbo(rows, options.elbo_samples, result.seed, [&](const ElboBlock& block) {
    for (std::size_t i = 0; i < block.kl.size(); ++i) {
      const auto first_term = static_cast<double>(block.reconstruction[i]);
      const auto second_term = static_cast<double>(block.kl[i]);
      negative_elbo.add(first_term + second_term);
      scores.push_back(block.reconstruction[i] + block.kl[i]);
      reconstruction.add(first_term);
      kl.add(second_term);
    }
    auto& per_row = result.per_row;
    per_row.reconstruction.insert(per_row.reconstruction.end(), block.reconstruction.begin(),
                                  block.reconstruction.end());
    per_row.kl.insert(per_row.kl.end(), block.kl.begin(), block.kl.end());
    watch.add(scores);
    scores.clear();
    teller.tell(block.first + block.rows);
  });
  if (result.rows == 0) throw ConfigError(fmt::format("{}: no rows to evaluate on", rows.name()));
  result.negative_elbo = negative_elbo.estimate();
  result.reconstruction = reconstruction.estimate();
  result.kl = kl.estimate();
  result.warnings = watch.warnings(rows.name());
}

/// One warning of rows that are not finite is enough.
void warn_of_lost(std::string_view figure, std::int64_t lost, const RowSource& rows, Evaluation& result) {
  if (lost == 0 || !result.warnings.empty()) return;
  result.warnings.push_back(
      fmt::format("{}: {} of {} rows have {} that is not finite, and count as infinitely unlikely: check "
                  "their values, and leave them out",
                  rows.name(), lost, result.rows, figure));
}

void add_nll(const Vae& vae, RowSource& rows, const EvaluateOptions& options, Teller& teller,
             Evaluation& result) {
  teller.begin("likelihood", options.samples, result.rows);
  Moments moments;
  std::int64_t lost = 0;
  std::vector<float>& per_row = result.per_row.nll;
  const auto sink = [&](const LogLikelihoodBlock& block) {
    for (const float log_likelihood : block.log_likelihood) {
      per_row.push_back(-log_likelihood);
      moments.add(-static_cast<double>(log_likelihood));
      lost += std::isfinite(log_likelihood) ? 0 : 1;
    }
    teller.tell(block.first + block.rows);
  };
  const std::int64_t count = vae.log_likelihood(rows, options.samples, result.seed, sink);
  check_count(rows, count, result);
  result.samples = options.samples;
  result.nll = moments.estimate();
  result.nll_bits = bits_per_dimension(result.nll->mean, vae.info());
  warn_of_lost("a likelihood", lost, rows, result);
}

/// Converts differences in data units to prepared units. The error refers to the values before stochastic or
/// threshold binarization.
void add_errors(const Vae& vae, RowSource& rows, Teller& teller, Evaluation& result) {
  teller.begin("reconstruction", 1, result.rows);
  const ModelInfo& info = vae.info();
  const auto columns = static_cast<std::size_t>(info.model.input_dim);
  Moments moments;
  std::int64_t lost = 0;
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
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();  // ∞ − ∞ in between
      lost += std::isfinite(error) ? 0 : 1;
      moments.add(error);
      result.per_row.squared_error.push_back(static_cast<float>(error));
      result.per_row.norm.push_back(static_cast<float>(norm));
    }
    teller.tell(block.first + block.rows);
  });
  check_count(rows, count, result);
  result.squared_error = moments.estimate();
  warn_of_lost("a squared error", lost, rows, result);
}

Encoded encode_all(const Vae& vae, RowSource& rows, Teller& teller, const Evaluation& result) {
  teller.begin("latents", 1, result.rows);
  Encoded all;
  const std::int64_t count = vae.encode(rows, [&](const EncodedBlock& block) {
    all.mean.insert(all.mean.end(), block.mean.begin(), block.mean.end());
    all.logvar.insert(all.logvar.end(), block.logvar.begin(), block.logvar.end());
    teller.tell(block.first + block.rows);
  });
  check_count(rows, count, result);
  return all;
}

/// The rows with a finite posterior, which figures of latents use; empty if all are finite.
std::optional<Encoded> finite_rows(const Encoded& encoded, std::int64_t latents) {
  const auto width = static_cast<std::size_t>(latents);
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (std::all_of(encoded.mean.begin(), encoded.mean.end(), is_finite)) return std::nullopt;
  Encoded kept;
  for (std::size_t at = 0; at < encoded.mean.size(); at += width) {
    const auto mean = std::span(encoded.mean).subspan(at, width);
    if (!std::all_of(mean.begin(), mean.end(), is_finite)) continue;
    kept.mean.insert(kept.mean.end(), mean.begin(), mean.end());
    if (encoded.logvar.empty()) continue;
    const auto logvar = std::span(encoded.logvar).subspan(at, width);
    kept.logvar.insert(kept.logvar.end(), logvar.begin(), logvar.end());
  }
  return kept;
}

void add_latents(const Encoded& encoded, std::int64_t latents, double threshold, Evaluation& result) {
  LatentMoments moments(latents);
  const auto width = static_cast<std::size_t>(latents);
  for (std::size_t row = 0; row < encoded.mean.size() / width; ++row) {
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
  if (traits_of(model.model.likelihood).is_mass) return bits;
  double log_jacobian = std::log2(static_cast<double>(model.scale));
  for (const float inverse : model.inverse_deviation) {
    log_jacobian += std::log2(static_cast<double>(inverse)) / columns;
  }
  return bits - log_jacobian;
}

Evaluation evaluate(const Vae& vae, const RowOpener& opener, const EvaluateOptions& options) {
  check(options);
  const auto open = [&opener] {
    std::unique_ptr<RowSource> rows = opener ? opener() : nullptr;
    if (!rows) throw ConfigError("no rows to evaluate on: the opener is empty, or gave no source of rows");
    return rows;
  };
  const ModelConfig& model = vae.info().model;
  const std::int64_t latents = model.latent_dim;
  const bool samples_likelihood = options.samples > 0 && traits_of(model.latent).has_density;
  Teller teller(options, samples_likelihood);
  Evaluation result;
  result.seed = options.seed.value_or(vae.info().seed);
  RowFacts facts;
  {
    const auto rows = open();
    NotedRows noted(*rows, facts);
    add_elbo(vae, noted, options, teller, result);
  }
  facts.name_classes();
  // Before the pass that takes most of the time.
  const std::optional<std::int32_t> anomaly = anomaly_label(facts, options);
  result.negative_elbo_bits = bits_per_dimension(result.negative_elbo.mean, vae.info());
  if (samples_likelihood) add_nll(vae, *open(), options, teller, result);
  add_errors(vae, *open(), teller, result);
  const Encoded encoded = encode_all(vae, *open(), teller, result);
  const std::optional<Encoded> kept = finite_rows(encoded, latents);
  const Encoded& finite = kept ? *kept : encoded;
  add_latents(finite, latents, options.active_threshold, result);
  if (!encoded.logvar.empty()) {
    const std::int64_t rows = static_cast<std::int64_t>(finite.mean.size()) / latents;
    result.aggregate =
        aggregate_information({rows, latents, finite.mean, finite.logvar}, result.seed, kAggregateRows);
    double kl = 0.0;
    std::int64_t held = 0;
    for (const LatentFigures& latent : result.latents) {
      kl += latent.kl;
      held += latent.kl >= kCollapsedKl ? 1 : 0;
    }
    const std::string collapse = collapse_warning(model, vae.info().objective, kl, held);
    if (!collapse.empty() && rows > 0) result.warnings.push_back(collapse);
  }
  result.factors = factor_figures(facts, encoded.mean, latents, options.bins);
  if (!result.factors.empty()) result.mutual_information_gap = mean_gap(result.factors);
  if (anomaly) result.anomalies = anomaly_figures(vae, facts, *anomaly, result.per_row);
  return result;
}

Evaluation evaluate(const Vae& vae, const Dataset& data, const EvaluateOptions& options) {
  return evaluate(vae, RowOpener([&] { return rows_of(data); }), options);
}

}  // namespace vaecuda
