#include "host/train/starting_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "host/config/scopes.hpp"
#include "host/config/utf8.hpp"
#include "host/data/scale.hpp"
#include "host/io/path_links.hpp"
#include "host/train/run_folder.hpp"
#include "host/train/run_replacement.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

/// A run that goes on does not read the model that it began with, and its record still names that one.
/// \throws ConfigError where `config` has another than the run in its folder
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

/// \throws ConfigError where a scale is asked for that is not the model's
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

StartingPoint find_checkpoint(RunConfig& config, const Say& say) {
  const std::string& dir = config.output.dir;
  StartingPoint from;
  from.held = RunFolder::hold(dir);
  require_same_start(config);
  if (has_broken_replacement(*from.held)) {
    say(fmt::format(
        "warning: a run that was to replace the one in {} ended before its first checkpoint; going on "
        "with the older run",
        dir));
  }
  const std::optional<Place> state = RunFolder::find_state(from.held);
  if (!state) {
    RunFolder::require_unsaved(from.held);
    say(fmt::format("{}: no checkpoint was saved yet; training from the first step", dir));
    return from;
  }
  from.checkpoint = load_checkpoint(open_bytes(*state));
  from.older_scale = take_older_scale(config, from.checkpoint->identity);
  require_same_options(config, from.checkpoint->identity);
  // Only its view of the data is wanted, and the last model has it as well; the first may be gone.
  if (!config.train.init_from.empty()) from.model = load_model(open_bytes(RunFolder::last_model(from.held)));
  return from;
}

}  // namespace

StartingPoint find_starting_point(RunConfig& config, Start start, const Say& say) {
  StartingPoint from;
  if (start == Start::resume) {
    from = find_checkpoint(config, say);
  } else if (!config.output.dir.empty()) {
    RunFolder::check_free(config.output.dir, config.output.overwrite);
    RunFolder::check_inputs(config);
  }
  if (!from.checkpoint && !config.train.init_from.empty()) {
    from.model = load_model(config.train.init_from);
    require_same_scale(config, *from.model);
  }
  return from;
}

std::vector<float> initial_parameters(const StartingPoint& from, const ParameterLayout& layout,
                                      const RunConfig& config, const PreparedData& data) {
  if (from.model) return from.model->parameters;
  std::vector<float> parameters(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, config.model, config.train.seed, parameters.data());
  std::vector<double> means;
  if (config.model.output_bias == OutputBias::data_mean) means = prepared_means(data.train, data.preparation);
  initialize_output_bias(layout, config.model, means, parameters.data());
  return parameters;
}

std::vector<float> initial_moment2(const ParameterLayout& layout, const OptimizerConfig& optimizer) {
  std::vector<float> moment2(static_cast<std::size_t>(layout.size), 0.0f);
  if (optimizer.v_init == 0) return moment2;
  // Of what Adam moves: moving averages keep their counts in the rest.
  for (const Region& region : layout.regions(optimizer)) {
    if (region.rule == UpdateRule::adam) std::fill_n(moment2.begin() + region.offset, region.count, 1.0f);
  }
  return moment2;
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
