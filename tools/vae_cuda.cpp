// The program for trained models.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/stop_signal.hpp"
#include "vae_cuda/command.hpp"
#include "vae_cuda/request.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::tool {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kFooter =
    "Exit codes: 0 done, 1 runtime error, 2 wrong options, 3 bad input file, 4 out of memory,\n"
    "5 no usable device.";

std::string commands_text() {
  std::string text = "Commands (vae_cuda COMMAND --help tells more):\n";
  for (const Command& command : commands())
    text += fmt::format("  {:<14}{}\n", command.name, command.summary);
  return text;
}

cli::CommandLine program_line(std::string_view name) {
  return {name,
          "Uses a trained model: encodes, reconstructs, generates, scores.\n\n" + commands_text(),
          kFooter,
          {},
          [](const Option&) { return false; }};
}

cli::CommandLine command_line_of(const Command& command) {
  std::vector<cli::ProgramOption> options = command.options;
  for (cli::ProgramOption option : common_options()) {
    option.group = "Common";
    options.push_back(option);
  }
  return {fmt::format("vae_cuda {}", command.name), command.details, kFooter, std::move(options),
          [](const Option&) { return false; }};
}

const Command* find_command(std::string_view name) {
  const auto all = commands();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Command& c) { return c.name == name; });
  return found == all.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(const Words& words) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  const std::string list = fmt::format("{}", fmt::join(names, ", "));
  if (words.empty()) throw ConfigError(fmt::format("no command; expected one of {}", list));
  if (words.front().substr(0, 1) == "-") {
    throw ConfigError(fmt::format(
        "'{}' stands where the command is expected: vae_cuda COMMAND MODEL [options]", words.front()));
  }
  const std::string nearest = nearest_name(words.front(), names);
  throw ConfigError(
      fmt::format("unknown command '{}'; {}", words.front(),
                  nearest.empty() ? "expected one of " + list : fmt::format("did you mean {}?", nearest)));
}

/// The text that --help or --version requests, of the command if one is named.
std::optional<std::string> answer_to(const Words& words, const Command* command) {
  const bool asks_help = std::any_of(
      words.begin(), words.end(), [](const std::string& word) { return word == "-h" || word == "--help"; });
  if (!asks_help) return program_line("vae_cuda").answer(words);
  return (command == nullptr ? program_line("vae_cuda COMMAND") : command_line_of(*command)).answer(words);
}

int run(int argc, const char* const* argv) {
  Words words = cli::normalized_words(argc, argv);
  const auto is_command = [](const std::string& word) { return find_command(word) != nullptr; };
  const auto named = std::find_if(words.begin(), words.end(), is_command);
  const Command* command = named == words.end() ? nullptr : find_command(*named);
  if (const auto answer = answer_to(words, command)) {
    cli::write_output(*answer);
    return cli::kExitOk;
  }
  if (words.empty() || named != words.begin()) refuse(words);
  words.erase(words.begin());
  const cli::Arguments arguments = command_line_of(*command).parse(words);
  for (const cli::ProgramOption& option : command->options) {
    if (option.is_positional() && arguments.find(option.flag) == nullptr) {
      throw ConfigError(
          fmt::format("{} is missing: vae_cuda {} {} [options]", option.flag, command->name, option.flag));
    }
  }
  check_files(arguments);
  cli::Console console(arguments.flag("--quiet"));
  console.busy(command->name);
  const cli::TidyOnSignal tidy;
  return command->run(arguments, console);
}

}  // namespace
}  // namespace vaecuda::tool

int main(int argc, char** argv) {
  return vaecuda::cli::run_program([argc, argv] { return vaecuda::tool::run(argc, argv); });
}
