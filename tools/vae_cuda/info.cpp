// vae_cuda info: what a model file says about itself.
#include <fmt/format.h>

#include <algorithm>

#include "cli/summary_json.hpp"
#include "cli/visible.hpp"
#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda::tool {
namespace {

constexpr std::size_t kShownNames = 8;

/// A field of the configuration, as the option table writes it.
std::string field(const RunConfig& config, std::string_view key) {
  return find_option_by_key(key)->get(config);
}

RunConfig config_of(const ModelInfo& info) {
  RunConfig config;
  config.model = info.model;
  config.objective = info.objective;
  config.data.binarize = info.binarize;
  return config;
}

std::string dims_text(const std::vector<std::int64_t>& dims) {
  return fmt::format("{}", fmt::join(dims, " x "));
}

std::string network_text(const ModelInfo& info) {
  std::vector<std::int64_t> widths = {info.model.input_dim};
  widths.insert(widths.end(), info.model.hidden.begin(), info.model.hidden.end());
  widths.push_back(info.model.latent_dim);
  const std::vector<std::int64_t> back(widths.rbegin() + 1, widths.rend());
  return fmt::format("{} - {}", fmt::join(widths, " - "), fmt::join(back, " - "));
}

std::string names_text(const std::vector<std::string>& names, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? ", " : "") + cli::visible_name(names[i]);
  return text;
}

std::string vectors_text(const ModelInfo& info) {
  const std::vector<std::string>& names = info.label_vector_names;
  std::string text = fmt::format("vectors of {} values", info.model.condition_dim);
  if (names.empty()) return text;
  const std::size_t shown = std::min(kShownNames, names.size());
  return fmt::format("{}: {}{}", text, names_text(names, shown), shown < names.size() ? ", ..." : "");
}

std::string data_text(const ModelInfo& info) {
  std::string text = fmt::format("{} columns", info.model.input_dim);
  if (info.image) {
    text += fmt::format(", pictures of {} x {} x {}", info.image->height, info.image->width,
                        info.image->channels);
  }
  if (!info.column_names.empty()) {
    const std::size_t shown = std::min(kShownNames, info.column_names.size());
    text += fmt::format(": {}{}", names_text(info.column_names, shown),
                        shown < info.column_names.size() ? ", ..." : "");
  }
  return text;
}

std::string preparation_text(const ModelInfo& info, const RunConfig& config) {
  std::string text = info.scale == 1.0f ? "values as they are" : fmt::format("values times {}", info.scale);
  if (!info.mean.empty()) text += ", standardized per column";
  if (info.binarize != BinarizeMode::none)
    text += fmt::format(", binarized ({})", field(config, "data.binarize"));
  return text;
}

/// What a likelihood of counts has besides; empty for others.
std::string counts_text(const ModelInfo& info, const RunConfig& config) {
  const LikelihoodTraits traits = traits_of(info.model.likelihood);
  std::string text;
  if (traits.has_dispersion) text += fmt::format(", dispersion {}", field(config, "model.dispersion"));
  if (traits.has_rate)
    text += fmt::format(", rate {}, library {}", field(config, "model.rate"), field(config, "model.library"));
  if (traits.domain == ValueDomain::count) {
    text += fmt::format(", {:.6g} counts a row, encoder reads {}", info.model.row_sum,
                        info.model.input_transform == InputTransform::none
                            ? "them as they are"
                            : field(config, "model.input_transform"));
  }
  return text;
}

std::string text_of(const ModelInfo& info, const std::string& path) {
  const RunConfig config = config_of(info);
  std::string likelihood = field(config, "model.likelihood");
  if (traits_of(info.model.likelihood).has_sigma)
    likelihood += fmt::format(", sigma {}", field(config, "model.sigma"));
  likelihood += counts_text(info, config);
  std::string text = cli::visible_name(path) + '\n';
  const auto line = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("  {:<12} {}\n", name, value);
  };
  line("network", fmt::format("{}, {}", network_text(info), field(config, "model.activation")));
  line("parameters", fmt::format("{}", info.parameters));
  line("latent", fmt::format("{}, {} values", field(config, "model.latent"), info.model.latent_dim));
  if (traits_of(info.model.latent).has_codes) {
    line("codebooks", fmt::format("{} of {} codes, commitment {}", info.model.codebooks.value(),
                                  info.model.codebook_size.value(), field(config, "objective.commitment")));
  }
  line("likelihood", likelihood);
  if (info.model.conditional) {
    line("condition", info.condition_names.empty()
                          ? vectors_text(info)
                          : fmt::format("{} classes: {}", info.condition_names.size(),
                                        names_text(info.condition_names, info.condition_names.size())));
  }
  line("data", data_text(info));
  line("preparation", preparation_text(info, config));
  line("training",
       fmt::format("{} steps, seed {}, beta {}", info.steps, info.seed, field(config, "objective.beta")));
  text += "  tensors\n";
  for (const TensorInfo& tensor : info.tensors) {
    text += fmt::format("    {:<24} {}\n", cli::visible_name(tensor.name), dims_text(tensor.shape));
  }
  return text;
}

nlohmann::ordered_json info_json(const ModelInfo& info) {
  const RunConfig config = config_of(info);
  nlohmann::ordered_json json;
  json["input_dim"] = info.model.input_dim;
  json["hidden"] = info.model.hidden;
  json["latent_dim"] = info.model.latent_dim;
  json["latent"] = field(config, "model.latent");
  if (traits_of(info.model.latent).has_codes) {
    json["codebooks"] = info.model.codebooks.value();
    json["codebook_size"] = info.model.codebook_size.value();
    json["commitment"] = info.objective.commitment.value();
  }
  json["logvar_head"] = field(config, "model.logvar_head");
  json["activation"] = field(config, "model.activation");
  json["init"] = field(config, "model.init");
  json["likelihood"] = field(config, "model.likelihood");
  json["sigma"] = info.model.sigma.value();
  const bool is_fixed = info.model.sigma_source == SigmaSource::fixed;
  json["sigma_source"] = is_fixed ? std::string("fixed") : field(config, "model.sigma");
  if (traits_of(info.model.likelihood).domain == ValueDomain::count) {
    json["dispersion"] = field(config, "model.dispersion");
    json["rate"] = field(config, "model.rate");
    json["library"] = field(config, "model.library");
    json["input_transform"] = field(config, "model.input_transform");
    json["row_sum"] = info.model.row_sum;
  }
  json["condition_dim"] = info.model.condition_dim;
  json["condition_names"] = info.condition_names;
  json["label_vector_names"] = info.label_vector_names;
  json["parameters"] = info.parameters;
  json["image"] = nullptr;
  if (info.image) json["image"] = {info.image->height, info.image->width, info.image->channels};
  json["column_names"] = info.column_names;
  json["scale"] = info.scale;
  json["binarize"] = field(config, "data.binarize");
  json["mean"] = info.mean;
  json["inverse_deviation"] = info.inverse_deviation;
  json["beta"] = info.objective.beta.value();
  json["samples"] = info.objective.samples.value();
  json["latent_l2"] = info.objective.latent_l2.value();
  json["seed"] = info.seed;
  json["steps"] = info.steps;
  json["tensors"] = nlohmann::ordered_json::object();
  for (const TensorInfo& tensor : info.tensors) json["tensors"][tensor.name] = tensor.shape;
  return json;
}

int run_info(const cli::Arguments& arguments, cli::Console& console) {
  const std::string& path = required(arguments, "MODEL");
  const ModelInfo info = read_model_info(path);
  console.idle();
  cli::write_output(arguments.flag("--json") ? cli::dump_line(info_json(info)) : text_of(info, path));
  return 0;
}

}  // namespace

Command info_command() {
  return {.name = "info",
          .summary = "what a model file says about itself",
          .details =
              "Network, parameters, preparation of the data, training. Reads no parameters and starts no "
              "device.\n"
              "Example: vae_cuda info model.safetensors",
          .options = {kModel},
          .run = run_info};
}

}  // namespace vaecuda::tool
