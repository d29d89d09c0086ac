#include "host/train/start_model.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "host/config/scopes.hpp"
#include "host/config/utf8.hpp"
#include "host/data/scale.hpp"
#include "host/io/path_links.hpp"
#include "host/train/run_replacement.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {

void require_same_start(const RunConfig& config) {
  const std::filesystem::path path = find_run_file(std::filesystem::path(config.output.dir), "config.toml");
  if (!std::filesystem::exists(path)) return;
  const std::string had = config::load_kept_config(path.string()).train.init_from;
  const std::string& asked = config.train.init_from;
  if (asked == had || (!asked.empty() && !had.empty() && absolute_path(asked) == absolute_path(had))) return;
  const auto shown = [](const std::string& model) {
    return model.empty() ? "no model" : config::quoted(model);
  };
  throw ConfigError(fmt::format(
      "--init-from: the run in {} began with {}, and now it is {}; a run that goes on has its weights "
      "already: leave --init-from out, or start a new run with it",
      config.output.dir, shown(had), shown(asked)));
}

Preparation preparation_for(const RunConfig& config, const Preparation& from_data, const ModelFile& start) {
  Preparation kept = start.preparation;
  kept.binarize = from_data.binarize;
  if (!kept.mean.empty() != config.data.standardize) {
    throw ConfigError(
        fmt::format("--init-from {}: the model was trained {} --standardize; train it on the same way",
                    config.train.init_from, kept.mean.empty() ? "without" : "with"));
  }
  return kept;
}

DataView view_of(const ModelFile& start, const std::string& path) {
  return {.owner = fmt::format("the model of --init-from {}", path),
          .columns = start.model.input_dim,
          .names = start.column_names,
          .scale = start.preparation.scale,
          .label_vector_size = start.condition_names.empty() ? start.model.condition_dim : 0,
          .label_vector_names = start.label_vector_names,
          .sizes = start.trained_on,
          .scale_by_type = false};
}

void require_same_scale(const RunConfig& config, const ModelFile& start) {
  const ScaleMode has = data::mode_of(start.preparation.scale);
  const ScaleMode asked = config.data.scale;
  if (asked == has || (asked != ScaleMode::none && asked != ScaleMode::by_255)) return;
  RunConfig began = config;
  began.data.scale = has;
  const Option& option = *find_option_by_key("data.scale");
  throw ConfigError(fmt::format(
      "--init-from {}: --scale is {} in this model, and here {}; leave it out, and the model's holds",
      config.train.init_from, option.get(began), option.get(config)));
}

void require_same_model(const RunConfig& config, const ModelFile& start) {
  const auto refuse = [&](std::string_view what, std::string_view has, std::string_view asked) {
    throw ConfigError(fmt::format("--init-from {}: {} is {} in this model, and here {}; give the same",
                                  config.train.init_from, what, has, asked));
  };
  const auto number = [](std::int64_t value) { return fmt::format("{}", value); };
  const ModelConfig& theirs = start.model;
  if (theirs.input_dim != config.model.input_dim) {
    refuse("the number of input columns", number(theirs.input_dim), number(config.model.input_dim));
  }
  RunConfig began;
  began.model = theirs;
  for (const Option& option : options()) {
    if (!option.is_of_start_model || !option.applies(began)) continue;
    const std::string has = option.get(began);
    const std::string asked = option.get(config);
    if (has != asked) refuse(option.flag, has, asked);
  }
  if (theirs.condition_dim != config.model.condition_dim) {
    refuse("the size of a label (--conditional)", number(theirs.condition_dim),
           number(config.model.condition_dim));
  }
}

}  // namespace vaecuda
