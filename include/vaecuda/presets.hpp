// Recipes that are known by name: models of papers and of other programs, as configurations without data.
#pragma once

#include <span>
#include <string_view>

#include "vaecuda/config.hpp"
#include "vaecuda/export.h"

namespace vaecuda {

struct Preset {
  std::string_view name;     ///< "pytorch-example"
  std::string_view summary;  ///< what it is, in one line
  std::string_view toml;     ///< the file, as in presets/
};

/// All presets, by name.
[[nodiscard]] VAECUDA_API std::span<const Preset> presets();
/// What the preset sets, over `base`. \throws ConfigError for an unknown name, naming the nearest one
[[nodiscard]] VAECUDA_API RunConfig load_preset(std::string_view name, const RunConfig& base = {});

}  // namespace vaecuda
