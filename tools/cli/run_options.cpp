#include "cli/run_options.hpp"

#include <string>

#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/presets.hpp"

namespace vaecuda::cli {
namespace {

/// An option in the configuration file yields to its alternative on the command line. Both on the command
/// line are a contradiction, which validate() reports.
void drop_overruled_alternatives(RunConfig& config, const Arguments& arguments) {
  for (const Option& option : options()) {
    if (arguments.find(option.flag) != nullptr) drop_alternative(config, option.key);
  }
}

/// A length in the file replaces that of the preset. The file is opened once, because it may be a pipe.
void take_file(RunConfig& config, const std::string& path) {
  const TrainConfig of_preset = config.train;
  config.train.steps.reset();
  config.train.epochs.reset();
  config = load_config(path, config);
  if (config.train.steps || config.train.epochs) return;
  config.train.steps = of_preset.steps;
  config.train.epochs = of_preset.epochs;
}

void refuse_beside_resume(const Arguments& arguments) {
  for (const std::string_view flag : {"--preset", "--config", "--out", "--overwrite"}) {
    if (arguments.find(flag) == nullptr) continue;
    throw ConfigError(std::string(flag) +
                      " and --resume contradict each other: everything comes from the run that is resumed");
  }
}

}  // namespace

RunConfig resolve_config(const Arguments& arguments) {
  RunConfig config;
  if (const std::string* dir = arguments.find("--resume")) {
    refuse_beside_resume(arguments);
    config = load_run_config(*dir);
  }
  if (const std::string* name = arguments.find("--preset")) config = load_preset(*name, config);
  if (const std::string* path = arguments.find("--config")) take_file(config, *path);
  drop_overruled_alternatives(config, arguments);
  for (const Option& option : options()) {
    if (const std::string* text = arguments.find(option.flag)) option.set(config, *text, option.flag);
  }
  return config;
}

}  // namespace vaecuda::cli
