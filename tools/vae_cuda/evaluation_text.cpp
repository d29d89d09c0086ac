#include "vae_cuda/evaluation_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/summary_json.hpp"
#include "cli/visible.hpp"

namespace vaecuda::tool {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Estimate& estimate) {
  return {{"mean", cli::json_number(estimate.mean)},
          {"standard_error", cli::json_number(estimate.standard_error)}};
}

Json json_of(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(cli::json_number(value));
  return list;
}

Json latents_json(const Evaluation& evaluation) {
  Json list = Json::array();
  for (const LatentFigures& latent : evaluation.latents) {
    Json one;
    if (evaluation.aggregate) one["kl"] = cli::json_number(latent.kl);
    one["mean"] = cli::json_number(latent.mean);
    one["variance"] = cli::json_number(latent.variance);
    one["active"] = latent.active;
    list.push_back(one);
  }
  return list;
}

Json factors_json(const std::vector<FactorFigures>& factors) {
  Json list = Json::array();
  for (const FactorFigures& factor : factors) {
    list.push_back({{"name", factor.name},
                    {"entropy", cli::json_number(factor.entropy)},
                    {"information", json_of(factor.information)},
                    {"gap", cli::json_number(factor.gap)}});
  }
  return list;
}

Json anomalies_json(const AnomalyFigures& anomalies) {
  Json scores = Json::object();
  for (const ScoreFigures& score : anomalies.scores) {
    scores[score.score] = {{"roc_auc", cli::json_number(score.roc_auc)},
                           {"average_precision", cli::json_number(score.average_precision)}};
  }
  return {{"label", anomalies.label}, {"rows", anomalies.anomalies}, {"scores", scores}};
}

/// As wide as the columns; with six significant digits if the decimals would not fit.
std::string figure(double value, int decimals = 4) {
  constexpr double kMost = 1e9;
  return std::abs(value) < kMost ? fmt::format("{:>12.{}f}", value, decimals)
                                 : fmt::format("{:>12.6g}", value);
}

std::string trimmed(const std::string& words) {
  return words.substr(words.find_first_not_of(' '));
}

/// A table built line by line, with the names in the first column.
class Text {
 public:
  void title(const std::string& line) { text_ += cli::visible_name(line) + '\n'; }
  void line(std::string_view name, const std::string& value) {
    text_ += fmt::format("  {:<22} {}\n", cli::visible_name(name), value);
  }
  void estimate(std::string_view name, const Estimate& estimate, std::string_view more) {
    line(name,
         fmt::format("{} ± {}{}", figure(estimate.mean), trimmed(figure(estimate.standard_error)), more));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_latents(const Evaluation& evaluation, Text& text) {
  const bool has_kl = evaluation.aggregate.has_value();
  text.title(has_kl ? "latents: KL, mean and variance of the posterior mean, active"
                    : "latents: mean and variance of the code, active");
  for (std::size_t j = 0; j < evaluation.latents.size(); ++j) {
    const LatentFigures& latent = evaluation.latents[j];
    const std::string kl = has_kl ? figure(latent.kl) + " " : std::string();
    text.line(fmt::format("z{}", j), fmt::format("{}{} {}  {}", kl, figure(latent.mean),
                                                 figure(latent.variance), latent.active ? "yes" : "no"));
  }
}

void add_factors(const Evaluation& evaluation, Text& text) {
  text.title("factors: entropy, the latent that tells most and what it tells (nats), gap");
  for (const FactorFigures& factor : evaluation.factors) {
    if (factor.entropy == 0.0) {
      text.line(factor.name, "does not vary");
      continue;
    }
    const auto best = std::max_element(factor.information.begin(), factor.information.end());
    const std::string latent = fmt::format("z{}", best - factor.information.begin());
    text.line(factor.name,
              fmt::format("{:>12.4f}{:>6}{:>10.4f}{:>10.4f}", factor.entropy, latent, *best, factor.gap));
  }
  text.line("MIG", fmt::format("{:>12.4f}", *evaluation.mutual_information_gap));
}

void add_anomalies(const AnomalyFigures& anomalies, std::int64_t rows, Text& text) {
  text.title(fmt::format("anomalies: {} of {} rows have label {}; ROC AUC, average precision",
                         anomalies.anomalies, rows, anomalies.label));
  for (const ScoreFigures& score : anomalies.scores) {
    text.line(score.score, fmt::format("{:>12.4f}{:>12.4f}", score.roc_auc, score.average_precision));
  }
}

}  // namespace

Json evaluation_json(const Evaluation& evaluation, const ModelInfo& model) {
  Json json;
  json["rows"] = evaluation.rows;
  json["columns"] = model.model.input_dim;
  json["seed"] = evaluation.seed;
  json["elbo_samples"] = evaluation.elbo_samples;
  json["negative_elbo"] = json_of(evaluation.negative_elbo);
  json["reconstruction"] = json_of(evaluation.reconstruction);
  json["kl"] = json_of(evaluation.kl);
  if (evaluation.nll) {
    json["nll"] = json_of(*evaluation.nll);
    json["nll"]["samples"] = evaluation.samples;
    json["nll"]["rows"] = evaluation.rows;
  }
  json["bits_per_dimension"]["negative_elbo"] = cli::json_number(evaluation.negative_elbo_bits);
  if (evaluation.nll_bits) json["bits_per_dimension"]["nll"] = cli::json_number(*evaluation.nll_bits);
  json["squared_error"] = json_of(evaluation.squared_error);
  json["active_units"] = evaluation.active_units;
  json["latents"] = latents_json(evaluation);
  if (evaluation.aggregate) {
    json["aggregate"] = {{"rows", evaluation.aggregate->rows},
                         {"information", cli::json_number(evaluation.aggregate->information)},
                         {"marginal_kl", cli::json_number(evaluation.aggregate->marginal_kl)}};
  }
  if (!evaluation.factors.empty()) {
    json["factors"] = factors_json(evaluation.factors);
    json["mutual_information_gap"] = cli::json_number(*evaluation.mutual_information_gap);
  }
  if (evaluation.anomalies) json["anomalies"] = anomalies_json(*evaluation.anomalies);
  json["warnings"] = evaluation.warnings;
  return json;
}

std::string evaluation_text(const Evaluation& evaluation, const ModelInfo& model,
                            const std::string& data_name) {
  Text text;
  text.title(fmt::format("{}: {} rows of {} values, seed {}; nats per row, mean ± standard error", data_name,
                         evaluation.rows, model.model.input_dim, evaluation.seed));
  const std::string drawn =
      evaluation.elbo_samples > 1 ? fmt::format(", {} samples", evaluation.elbo_samples) : std::string();
  text.estimate("negative ELBO" + drawn, evaluation.negative_elbo,
                fmt::format(", {:.4f} bits per dimension", evaluation.negative_elbo_bits));
  text.estimate("  reconstruction", evaluation.reconstruction, "");
  text.estimate("  KL", evaluation.kl, "");
  if (evaluation.nll) {
    text.estimate(fmt::format("-log p(x), {} samples", evaluation.samples), *evaluation.nll,
                  fmt::format(", {:.4f} bits per dimension", *evaluation.nll_bits));
  }
  text.line("squared error",
            fmt::format("{} ± {} per value, root {}", figure(evaluation.squared_error.mean, 6),
                        trimmed(figure(evaluation.squared_error.standard_error, 6)),
                        trimmed(figure(std::sqrt(evaluation.squared_error.mean)))));
  text.line("active units", fmt::format("{:>12} of {}", evaluation.active_units, evaluation.latents.size()));
  if (evaluation.aggregate && evaluation.aggregate->rows > 0) {
    text.line("I(x; z)", fmt::format("{:>12.4f} nats over {} rows (at most {:.4f})",
                                     evaluation.aggregate->information, evaluation.aggregate->rows,
                                     std::log(static_cast<double>(evaluation.aggregate->rows))));
    text.line("KL(mean q(z|x) || p)", figure(evaluation.aggregate->marginal_kl));
  }
  add_latents(evaluation, text);
  if (!evaluation.factors.empty()) add_factors(evaluation, text);
  if (evaluation.anomalies) add_anomalies(*evaluation.anomalies, evaluation.rows, text);
  return text.take();
}

}  // namespace vaecuda::tool
