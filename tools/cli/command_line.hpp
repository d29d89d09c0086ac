// The command line of a program: its own options and those of the option table, as text. Values are not
// interpreted here: Option::set does that, strictly.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaecuda/options.hpp"

namespace vaecuda::cli {

/// An option or a positional argument of the program itself, which configuration files do not contain.
struct ProgramOption {
  std::string_view flag;   ///< "--config", "-n,--count"; without a dash a positional argument: "MODEL"
  std::string_view value;  ///< placeholder of its value in the help; empty: a flag without a value
  std::string_view help;
  std::string_view group = "Program";  ///< heading in the help

  [[nodiscard]] bool is_positional() const { return flag.substr(0, 1) != "-"; }
};

/// The options that were given.
class Arguments {
 public:
  explicit Arguments(std::map<std::string, std::string, std::less<>> values) : values_(std::move(values)) {}
  /// The text given for an option by its long name, or for a positional argument ("true" for a bare flag);
  /// null if it was not given.
  [[nodiscard]] const std::string* find(std::string_view flag) const;
  /// Whether a flag is set. \throws ConfigError if its text is neither true nor false.
  [[nodiscard]] bool flag(std::string_view flag) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

class CommandLine {
 public:
  /// Which options of the table the program takes; empty: all.
  using Choice = std::function<bool(const Option&)>;
  CommandLine(std::string_view name, std::string_view summary, std::string_view footer,
              std::vector<ProgramOption> options, Choice takes = {});
  /// The text requested by --help or --version, wherever it is in the line, and with any other words.
  [[nodiscard]] std::optional<std::string> answer(const std::vector<std::string>& words) const;
  /// \throws ConfigError for an unknown option (naming the nearest one), a repeated option, a missing value,
  /// or an argument that belongs to no option.
  [[nodiscard]] Arguments parse(const std::vector<std::string>& words) const;

 private:
  std::string name_;
  std::string summary_;
  std::string footer_;
  std::vector<ProgramOption> options_;
  Choice takes_;
};

/// argv without the program, '_' in option names turned into '-'.
[[nodiscard]] std::vector<std::string> normalized_words(int argc, const char* const* argv);

}  // namespace vaecuda::cli
