// C API: the configuration of a run.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/presets.hpp"

namespace vaecuda::capi {
namespace {

/// Finds an option by its key in configuration files or its name on the command line.
const Option& find_option(const std::string& name) {
  if (const Option* option = find_option_by_key(name)) return *option;
  std::string flag = name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  std::vector<std::string_view> candidates;
  for (const Option& option : options()) {
    if (option.flag == flag) return option;
    candidates.push_back(name.rfind("--", 0) == 0 ? option.flag : option.key);
  }
  const std::string nearest = nearest_name(name, candidates);
  throw ConfigError(nearest.empty() ? fmt::format("unknown option '{}'", name)
                                    : fmt::format("unknown option '{}'; did you mean {}?", name, nearest));
}

/// Applies a preset or a file. A length in it replaces one from another preset or file; values set by name
/// stay, so that two lengths set by name contradict each other as on the command line.
template <typename Read>
void take_layer(vaecuda_config& config, Read&& read) {
  RunConfig base = config.run;
  if (config.given.count("train.epochs") == 0) base.train.epochs.reset();
  if (config.given.count("train.steps") == 0) base.train.steps.reset();
  RunConfig taken = read(base);
  if (!taken.train.epochs && !taken.train.steps) {
    taken.train.epochs = config.run.train.epochs;
    taken.train.steps = config.run.train.steps;
  }
  config.run = std::move(taken);
}

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;

extern "C" {

int vaecuda_config_create(vaecuda_config** result) {
  return guarded([&] {
    required(result, "result");
    *result = std::make_unique<vaecuda_config>().release();
  });
}

int vaecuda_config_set(vaecuda_config* config, const char* option, const char* value) {
  return guarded([&] {
    required(config, "config");
    const std::string name = required_text(option, "option");
    const vaecuda::Option& row = find_option(name);
    const std::string_view where = option[0] == '-' ? row.flag : row.key;
    const std::string text = required_text(value, "value");
    vaecuda::RunConfig changed = config->run;
    if (config->given.count(vaecuda::alternative_of(row.key)) == 0)
      vaecuda::drop_alternative(changed, row.key);
    row.set(changed, text, where);
    config->run = std::move(changed);
    config->given.emplace(row.key);
  });
}

int vaecuda_config_preset(vaecuda_config* config, const char* name) {
  return guarded([&] {
    required(config, "config");
    const std::string preset = required_text(name, "name");
    take_layer(*config, [&](const vaecuda::RunConfig& base) { return vaecuda::load_preset(preset, base); });
  });
}

int vaecuda_config_load(vaecuda_config* config, const char* path) {
  return guarded([&] {
    required(config, "config");
    const std::string file = required_text(path, "path");
    take_layer(*config, [&](const vaecuda::RunConfig& base) { return vaecuda::load_config(file, base); });
  });
}

int vaecuda_config_parse(vaecuda_config* config, const char* toml) {
  return guarded([&] {
    required(config, "config");
    const std::string text = required_text(toml, "toml");
    take_layer(*config, [&](const vaecuda::RunConfig& base) { return vaecuda::parse_config(text, base); });
  });
}

int vaecuda_config_load_run(vaecuda_config* config, const char* run_dir) {
  return guarded([&] {
    required(config, "config");
    config->run = vaecuda::load_run_config(required_text(run_dir, "run_dir"));
    config->given.clear();
  });
}

int vaecuda_config_get(const vaecuda_config* config, const char* option, char* text, size_t size,
                       size_t* length) {
  return guarded([&] {
    required(config, "config");
    give_text(find_option(required_text(option, "option")).get(config->run), text, size, length);
  });
}

int vaecuda_config_toml(const vaecuda_config* config, char* text, size_t size, size_t* length) {
  return guarded([&] { give_text(vaecuda::to_toml(required(config, "config").run), text, size, length); });
}

void vaecuda_config_free(vaecuda_config* config) {
  delete config;
}

}  // extern "C"
