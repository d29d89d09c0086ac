// The option table: one row per configuration field. The command line, the TOML reader and writer, the help
// and the tests are all derived from it, so that they agree.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "vaecuda/config.hpp"
#include "vaecuda/export.h"

namespace vaecuda {

enum class OptionType { integer, real, real_or_word, text, choice, flag, integer_list };

/// One field of RunConfig.
struct Option {
  std::string_view key;   ///< TOML key with its table, for example "model.latent_dim"
  std::string_view flag;  ///< command-line name, for example "--latent-dim"
  OptionType type;
  std::string_view value;  ///< placeholder of the value in the help, for example "N"; choices: "a|b|c"
  std::string_view range;  ///< allowed values in words, for error messages; empty: any text
  std::string_view group;  ///< heading in the help
  std::string_view help;   ///< one line
  /// Parses strictly and stores. `where` names the place in messages ("--lr", "run.toml:12: optimizer.lr").
  /// \throws ConfigError with the place, the text given and the allowed range.
  void (*set)(RunConfig& config, std::string_view text, std::string_view where);
  /// The value as text, from which set() stores the same value; empty if the field is unset.
  std::string (*get)(const RunConfig& config);
  /// Whether a resumed run may have another value. False by default: a change that would change the result is
  /// refused.
  bool may_change_on_resume = false;
  /// Whether a run that starts from a model (train.init_from) must have that model's value, because the
  /// parameters would have another meaning under a different one.
  bool is_of_start_model = false;
  /// Whether a model file keeps the value, under its key.
  bool is_stored_in_model = false;
  /// The reason why the option has no effect in this configuration, naming `flag`; empty if it has an effect.
  /// Null: it always has one.
  std::string (*why_idle)(const RunConfig& config, std::string_view flag) = nullptr;
  // Members of Setting (setting.hpp); null unless the field is one.
  bool (*is_given)(const RunConfig& config) = nullptr;
  void (*forget)(RunConfig& config) = nullptr;         ///< back to the default
  void (*take_as_usual)(RunConfig& config) = nullptr;  ///< keeps the value, as not given

  [[nodiscard]] bool applies(const RunConfig& config) const {
    return why_idle == nullptr || why_idle(config, flag).empty();
  }
};

/// All options in the order of the help.
[[nodiscard]] VAECUDA_API std::span<const Option> options();
/// The option with this key, or null.
[[nodiscard]] VAECUDA_API const Option* find_option_by_key(std::string_view key);
/// The key of the option that sets the same thing in another way (epochs and steps; a file of test rows and a
/// fraction); empty if there is none.
[[nodiscard]] VAECUDA_API std::string_view alternative_of(std::string_view key);
/// Unsets the alternative of an option, for an option that overrides a preset or a file. If both come from
/// the same source, they contradict each other, which validate() reports.
VAECUDA_API void drop_alternative(RunConfig& config, std::string_view key);
/// The candidate nearest to `word` by edit distance; empty if none is near.
[[nodiscard]] VAECUDA_API std::string nearest_name(std::string_view word,
                                                   std::span<const std::string_view> candidates);

}  // namespace vaecuda
