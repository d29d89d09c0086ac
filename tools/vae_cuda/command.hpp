// A command of vae_cuda: its texts, options and function. A new command is a file with a Command and one line
// in commands.cpp.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/console.hpp"

namespace vaecuda::tool {

struct Command {
  std::string_view name;     ///< "encode"
  std::string_view summary;  ///< one line for the list of commands
  std::string_view details;  ///< further text of its help, with an example
  /// Its arguments: positional ones first, then its own options. The common options are added.
  std::vector<cli::ProgramOption> options;
  /// Runs the command and returns the exit code.
  int (*run)(const cli::Arguments& arguments, cli::Console& console);
};

/// All commands in the order of the help.
[[nodiscard]] std::span<const Command> commands();

/// Options that every command takes: --device, --threads, --precision, --batch-size, --seed, --json, --quiet.
[[nodiscard]] const std::vector<cli::ProgramOption>& common_options();

// One function per file of this folder.
[[nodiscard]] Command info_command();
[[nodiscard]] Command encode_command();
[[nodiscard]] Command reconstruct_command();
[[nodiscard]] Command generate_command();
[[nodiscard]] Command interpolate_command();
[[nodiscard]] Command neighbors_command();
[[nodiscard]] Command manifold_command();
[[nodiscard]] Command traverse_command();
[[nodiscard]] Command score_command();
[[nodiscard]] Command evaluate_command();
[[nodiscard]] Command export_command();
[[nodiscard]] Command report_command();

}  // namespace vaecuda::tool
