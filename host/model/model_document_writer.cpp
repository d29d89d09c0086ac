#include <array>
#include <string_view>

#include "host/config/enumerators.hpp"
#include "host/config/parse.hpp"
#include "host/config/text_forms.hpp"
#include "host/model/json_writer.hpp"
#include "host/model/model_document.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

// A choice or a schedule as the command line and config.toml write it.
void choice(JsonWriter& json, const RunConfig& config, std::string_view key) {
  json.member(key.substr(key.find('.') + 1), find_option_by_key(key)->get(config));
}

void write_model(JsonWriter& json, const RunConfig& config) {
  const ModelConfig& model = config.model;
  json.key("model");
  json.open_object();
  choice(json, config, "model.activation");
  json.member("codebook_size", model.codebook_size);
  json.member("codebooks", model.codebooks);
  json.member("condition_dim", model.condition_dim);
  json.array("hidden", model.hidden);
  choice(json, config, "model.init");
  json.member("input_dim", model.input_dim);
  choice(json, config, "model.latent");
  json.member("latent_dim", model.latent_dim);
  choice(json, config, "model.likelihood");
  choice(json, config, "model.logvar_head");
  choice(json, config, "model.output_bias");
  json.member("sigma", model.sigma);
  json.member("sigma_source", config::kSigmaSources[static_cast<std::size_t>(model.sigma_source.value())]);
  json.close_object();
}

void write_objective(JsonWriter& json, const RunConfig& config) {
  const ObjectiveConfig& objective = config.objective;
  json.key("objective");
  json.open_object();
  json.member("beta", objective.beta);
  choice(json, config, "objective.beta_schedule");
  json.member("capacity", objective.capacity);
  json.member("capacity_steps", objective.capacity_steps);
  json.member("commitment", objective.commitment);
  json.member("free_bits", objective.free_bits);
  choice(json, config, "objective.kind");
  json.member("latent_l2", objective.latent_l2);
  choice(json, config, "objective.reduce");
  json.member("samples", objective.samples);
  json.close_object();
}

}  // namespace

std::string write_model_document(const ModelFile& file) {
  RunConfig config;
  config.model = file.model;
  config.objective = file.objective;
  config.data.binarize = config::same_as<BinarizeMode>(file.preparation.binarize);
  JsonWriter json;
  json.open_object();
  json.array("column_names", file.column_names);
  json.array("condition_names", file.condition_names);
  json.key("data");
  json.open_object();
  choice(json, config, "data.binarize");
  if (file.trained_on) {
    json.member("exponent", file.trained_on->exponent);
    json.member("largest", static_cast<double>(file.trained_on->largest));
  }
  json.member("scale", static_cast<double>(file.preparation.scale));
  json.member("standardize", !file.preparation.mean.empty());
  json.close_object();
  if (file.image) {
    json.array("image", std::array{file.image->height, file.image->width, file.image->channels});
  } else {
    json.key("image");
    json.null();
  }
  if (!file.label_vector_names.empty()) json.array("label_vector_names", file.label_vector_names);
  write_model(json, config);
  write_objective(json, config);
  json.member("seed", std::to_string(file.seed));
  json.member("steps", file.steps);
  json.close_object();
  return json.take();
}

}  // namespace vaecuda
