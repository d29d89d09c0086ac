// Messages of the programs on the data that they read, and requirements on the data.
#pragma once

#include <string>
#include <string_view>

#include "cli/console.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::cli {

/// Reports in one line what was read, and the warnings.
void say_notes(Console& console, const ReadNotes& notes);

/// \throws ConfigError if the rows at `path` can be read only once, as from a pipe, and `command` reads them
/// several `times`: "four times"
void require_read_again(std::string_view flag, const std::string& path, std::string_view command,
                        std::string_view times);

}  // namespace vaecuda::cli
