// Options of the table by their flags, and what becomes of a text that one is given.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/catch.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::test {

/// The message of the ConfigError that `text` causes, empty where it is accepted.
inline std::string refusal(const Option& option, std::string_view text) {
  RunConfig config;
  try {
    option.set(config, text, option.flag);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}

/// What the option gives back after `text`.
inline std::string stored(const Option& option, std::string_view text) {
  RunConfig config;
  option.set(config, text, option.flag);
  return option.get(config);
}

inline const Option& by_flag(std::string_view flag) {
  for (const Option& option : options()) {
    if (option.flag == flag) return option;
  }
  FAIL("no option " << flag);
  throw std::logic_error("unreachable");
}

}  // namespace vaecuda::test
