#include "vaecuda/presets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "host/config/parse.hpp"
#include "host/config/utf8.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

struct File {
  std::string_view name;
  std::string_view toml;
};

// Generated from presets/*.toml when the build is configured, sorted by name.
constexpr File kFiles[] = {
#include "vaecuda_presets.inc"
};

/// The comment in the first line.
std::string_view summary_of(std::string_view toml) {
  const std::string_view line = toml.substr(0, toml.find('\n'));
  return line.substr(std::min(line.find_first_not_of("# "), line.size()));
}

}  // namespace

std::span<const Preset> presets() {
  static const std::vector<Preset> kAll = [] {
    std::vector<Preset> all;
    for (const File& file : kFiles) all.push_back({file.name, summary_of(file.toml), file.toml});
    return all;
  }();
  return kAll;
}

RunConfig load_preset(std::string_view name, const RunConfig& base) {
  std::vector<std::string_view> names;
  for (const Preset& preset : presets()) {
    if (preset.name == name) {
      return parse_config(std::string(preset.toml), base, fmt::format("preset {}", name));
    }
    names.push_back(preset.name);
  }
  const std::string nearest = nearest_name(name, names);
  throw ConfigError(fmt::format("--preset: {} is none of {}{}", config::quoted(name), fmt::join(names, ", "),
                                nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

}  // namespace vaecuda
