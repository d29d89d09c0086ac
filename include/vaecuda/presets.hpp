// Presets: named configurations, without data, of models from papers and other programs.
#pragma once

#include <span>
#include <string_view>

#include "vaecuda/config.hpp"
#include "vaecuda/export.h"

namespace vaecuda {

struct Preset {
  std::string_view name;     ///< "pytorch-example"
  std::string_view summary;  ///< what it is, in one line
  std::string_view toml;     ///< contents of its file in presets/
};

/// All presets, sorted by name.
[[nodiscard]] VAECUDA_API std::span<const Preset> presets();
/// `base` with the options that the preset sets. \throws ConfigError for an unknown name, naming the nearest
/// one
[[nodiscard]] VAECUDA_API RunConfig load_preset(std::string_view name, const RunConfig& base = {});

}  // namespace vaecuda
