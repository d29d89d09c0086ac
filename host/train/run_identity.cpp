#include "host/train/run_identity.hpp"

#include <fmt/format.h>

#include "host/config/utf8.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
std::map<std::string, std::string, std::less<>> fixed_options(const RunConfig& config) {
  std::map<std::string, std::string, std::less<>> fixed;
  for (const Option& option : options()) {
    if (!option.may_change_on_resume && option.applies(config)) fixed.emplace(option.key, option.get(config));
  }
  return fixed;
}

std::optional<OlderScale> take_older_scale(RunConfig& config, RunIdentity& began) {
  const Option& option = *find_option_by_key("data.scale");
  const auto found = began.options.find(option.key);
  if (found == began.options.end()) return std::nullopt;
  RunConfig had;
  option.set(had, found->second, option.key);
  const auto is_question = [](ScaleMode mode) {
    return mode == ScaleMode::automatic || mode == ScaleMode::unit;
  };
  if (!is_question(had.data.scale)) return std::nullopt;
  const OlderScale scale{had.data.scale, config.data.scale};
  // Another question is refused as it ever was; an answer is compared with the rows' own.
  if (!is_question(config.data.scale)) config.data.scale = had.data.scale;
  return scale;
}

void require_same_scale(const OlderScale& scale, const RunConfig& config) {
  if (scale.asked == scale.began || scale.asked == config.data.scale) return;
  RunConfig asked;
  asked.data.scale = scale.asked;
  const Option& option = *find_option_by_key("data.scale");
  throw ConfigError(
      fmt::format("--scale: the run in {} has {}, and here it is {}; this would change its result, so the "
                  "run cannot be resumed with it",
                  config.output.dir, config::quoted(option.get(config)), config::quoted(option.get(asked))));
}

void require_same_options(const RunConfig& config, const RunIdentity& began) {
  for (const auto& [key, value] : began.options) {
    const Option* option = find_option_by_key(key);
    if (option == nullptr || option->may_change_on_resume) {
      throw FileError(
          fmt::format("{}: the state in this folder has the option {}, which this version does not keep "
                      "there; resume with the version that began the run",
                      config.output.dir, config::quoted(key)));
    }
  }
  for (const auto& [key, asked] : fixed_options(config)) {
    const Option& option = *find_option_by_key(key);
    const auto found = began.options.find(key);
    // An option that is younger than the run had no effect on it: its default stands for that.
    const std::string had = found == began.options.end() ? option.get(RunConfig{}) : found->second;
    if (had == asked) continue;
    const auto shown = [](const std::string& text) {
      return text.empty() ? "not set" : config::quoted(text);
    };
    throw ConfigError(
        fmt::format("{}: the run in {} has {}, and here it is {}; this would change its result, so the run "
                    "cannot be resumed with it: start a new run (--init-from takes this one's weights)",
                    option.flag, config.output.dir, shown(had), shown(asked)));
  }
}

}  // namespace vaecuda
