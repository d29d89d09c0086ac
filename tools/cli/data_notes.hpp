// What the programs say of the data they read, and ask of them.
#pragma once

#include <string>
#include <string_view>

#include "cli/console.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::cli {

/// Says what was read in one line, and what may be wrong with it.
void say_notes(Console& console, const ReadNotes& notes);

/// \throws ConfigError where the rows at `path` come once, as a pipe's do, and `command` reads them `times`:
/// "four times"
void require_read_again(std::string_view flag, const std::string& path, std::string_view command,
                        std::string_view times);

}  // namespace vaecuda::cli
