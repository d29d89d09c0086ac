#include "host/train/starting_point.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/train/run_folder.hpp"
#include "host/train/run_replacement.hpp"
#include "host/train/start_model.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

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

}  // namespace vaecuda
