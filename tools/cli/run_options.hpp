// From the command line to a configuration: defaults, then --config, then the options themselves.
#pragma once

#include "cli/command_line.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::cli {

/// With --resume DIR the configuration of that run replaces the first two. \throws ConfigError, FileError
[[nodiscard]] RunConfig resolve_config(const Arguments& arguments);

}  // namespace vaecuda::cli
