#include "cli/summary_json.hpp"

#include <cmath>

namespace vaecuda::cli {
namespace {

nlohmann::ordered_json to_json(const std::optional<LossTerms>& terms) {
  return terms ? cli::to_json(*terms) : nlohmann::ordered_json(nullptr);
}

}  // namespace

nlohmann::ordered_json json_number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json to_json(const LossTerms& terms) {
  nlohmann::ordered_json json;
  json["loss"] = json_number(terms.loss);
  json["reconstruction"] = json_number(terms.reconstruction);
  json["kl"] = json_number(terms.kl);
  if (terms.quantization) {
    json["quantization_error"] = json_number(terms.quantization->error);
    json["perplexity"] = json_number(terms.quantization->perplexity);
    json["least_perplexity"] = json_number(terms.quantization->least_perplexity);
  }
  if (terms.latents) {
    json["active_units"] = terms.latents->active_units;
    json["kl_per_latent"] = nlohmann::ordered_json::array();
    for (const double kl : terms.latents->kl) json["kl_per_latent"].push_back(json_number(kl));
  }
  return json;
}

nlohmann::ordered_json to_json(const TrainSummary& summary) {
  nlohmann::ordered_json json;
  json["device"] = summary.device;
  json["steps"] = summary.steps;
  json["epochs"] = summary.epochs;
  json["seconds"] = json_number(summary.seconds);
  json["samples_per_second"] = json_number(summary.samples_per_second);
  json["parameters"] = summary.parameters;
  json["device_bytes"] = summary.device_bytes;
  json["train"] = to_json(summary.train);
  json["valid"] = to_json(summary.valid);
  json["test"] = to_json(summary.test);
  json["best_epoch"] = summary.best_epoch;
  json["stopped_early"] = summary.stopped_early;
  json["stopped"] = summary.stopped;
  json["skipped_steps"] = summary.skipped_steps;
  json["restores"] = summary.restores;
  json["model"] = summary.model;
  json["warnings"] = summary.warnings;
  return json;
}

std::string dump_line(const nlohmann::ordered_json& document) {
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace vaecuda::cli
