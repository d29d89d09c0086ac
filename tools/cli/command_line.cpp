#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>

#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/version.hpp"

namespace vaecuda::cli {
namespace {

constexpr std::size_t kHelpColumn = 34;
constexpr std::size_t kHelpWidth = 72;
constexpr std::array<ProgramOption, 2> kStandardOptions{{
    {"-h,--help", "", "print this and exit"},
    {"--version", "", "print the version and exit"},
}};

bool is_option_word(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}
std::string_view option_name(std::string_view word) {
  return word.substr(0, word.find('='));
}

/// CLI11 indents the lines of a description but does not break them.
std::string wrapped(std::string_view text) {
  std::string lines;
  std::size_t line_start = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const bool fits = lines.size() + 1 + end <= line_start + kHelpWidth;
    if (!fits) line_start = lines.size() + 1;
    if (!lines.empty()) lines += fits ? ' ' : '\n';
    lines += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void declare(CLI::App& app, std::string_view flag, std::string_view value, std::string_view group,
             const std::string& help) {
  const std::string name(flag);
  const bool is_flag = value.empty() && name.front() == '-';
  CLI::Option* option = is_flag ? app.add_flag(name) : app.add_option(name);
  if (!is_flag) option->type_name(std::string(value));
  // Repetition is refused below, with a message that names the option.
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  option->group(std::string(group))->description(wrapped(help));
}

std::string help_text(const Option& option) {
  const std::string initial = option.type == OptionType::flag ? std::string{} : option.get(RunConfig{});
  return initial.empty() ? std::string(option.help) : fmt::format("{} [{}]", option.help, initial);
}

std::unique_ptr<CLI::App> make_app(const std::string& name, const std::string& summary,
                                   const std::string& footer,
                                   const std::vector<ProgramOption>& program_options,
                                   const CommandLine::Choice& takes) {
  auto app = std::make_unique<CLI::App>(summary, name);
  app->set_help_flag();
  app->allow_extras();
  app->footer(footer);
  app->get_formatter()->column_width(kHelpColumn);
  for (const Option& option : options()) {
    if (takes && !takes(option)) continue;
    declare(*app, option.flag, option.value, option.group, help_text(option));
  }
  for (const ProgramOption& option : program_options) {
    declare(*app, option.flag, option.value, option.group, std::string(option.help));
  }
  for (const ProgramOption& option : kStandardOptions) {
    declare(*app, option.flag, option.value, "Program", std::string(option.help));
  }
  return app;
}

[[noreturn]] void refuse_word(const std::string& word, const CLI::App& app) {
  if (!is_option_word(word) || word == "--") {
    throw ConfigError(fmt::format(
        "unexpected argument '{}': every value belongs to an option, and lists are written with commas",
        word));
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back(option->get_name(false, true));
  std::vector<std::string_view> candidates;
  candidates.reserve(names.size());
  for (const std::string& name : names) {
    const std::size_t dashes = name.rfind("--");  // a positional argument has none
    if (dashes != std::string::npos) candidates.push_back(std::string_view(name).substr(dashes));
  }
  const std::string nearest = nearest_name(option_name(word), candidates);
  throw ConfigError(
      fmt::format("unknown option '{}'{}", option_name(word),
                  nearest.empty() ? "; --help lists all" : fmt::format("; did you mean {}?", nearest)));
}

/// The single value of a given option.
std::string single_value(const CLI::Option& option) {
  const std::string name = option.get_name();
  if (option.results().size() > 1) throw ConfigError(fmt::format("{}: given more than once", name));
  const std::string& value = option.results().front();
  if (value.substr(0, 2) == "--") {
    throw ConfigError(fmt::format("{}: needs a value, but the option {} follows", name, option_name(value)));
  }
  return value;
}

}  // namespace

const std::string* Arguments::find(std::string_view flag) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? nullptr : &found->second;
}

bool Arguments::flag(std::string_view flag) const {
  const std::string* text = find(flag);
  if (text == nullptr) return false;
  if (*text != "true" && *text != "false") {
    throw ConfigError(fmt::format("{}: '{}' is not true or false", flag, *text));
  }
  return *text == "true";
}

CommandLine::CommandLine(std::string_view name, std::string_view summary, std::string_view footer,
                         std::vector<ProgramOption> options, Choice takes)
    : name_(name),
      summary_(summary),
      footer_(footer),
      options_(std::move(options)),
      takes_(std::move(takes)) {}

std::optional<std::string> CommandLine::answer(const std::vector<std::string>& words) const {
  const auto has = [&words](std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (has("-h") || has("--help")) return make_app(name_, summary_, footer_, options_, takes_)->help();
  if (has("--version")) return fmt::format("{} {}\n{}\n", name_, version(), build_info());
  return std::nullopt;
}

Arguments CommandLine::parse(const std::vector<std::string>& words) const {
  for (const std::string& word : words) {
    // CLI11 would take the next word for the value.
    if (is_option_word(word) && word.find('=') + 1 == word.size()) {
      throw ConfigError(fmt::format("{}: the value is empty", option_name(word)));
    }
  }
  const auto app = make_app(name_, summary_, footer_, options_, takes_);
  try {
    app->parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them in reverse order
  } catch (const CLI::ArgumentMismatch&) {
    // Every option takes one value at most, so only the last word can lack its own.
    throw ConfigError(fmt::format("{}: needs a value", words.back()));
  } catch (const CLI::ParseError& error) {
    throw ConfigError(error.what());
  }
  // Missing values first: words left over are only their consequence.
  std::map<std::string, std::string, std::less<>> values;
  for (const CLI::Option* option : app->get_options()) {
    if (option->count() > 0) values.emplace(option->get_name(), single_value(*option));
  }
  if (const auto unknown = app->remaining(); !unknown.empty()) refuse_word(unknown.front(), *app);
  return Arguments(std::move(values));
}

std::vector<std::string> normalized_words(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  for (std::string& word : words) {
    if (word.size() < 2 || word.substr(0, 2) != "--") continue;
    const auto name_end = word.begin() + static_cast<std::ptrdiff_t>(option_name(word).size());
    std::replace(word.begin(), name_end, '_', '-');
  }
  return words;
}

}  // namespace vaecuda::cli
