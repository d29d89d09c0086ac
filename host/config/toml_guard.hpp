// Checks TOML text before parsing for input that the parser does not handle safely.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vaecuda::config {

inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxKeyParts = 128;

struct UnbearableToml {
  std::size_t line = 0;
  std::string_view what;
};

/// The first input on which toml++ has undefined behaviour. It recurses once per part of a dotted key and
/// overflows its stack for more than about kMaxKeyParts. It assumes, without checking, that a table's header
/// begins with a key, that no array element begins with '}', the form of a time (no option takes one), and
/// that a character outside ASCII in place of white space (outside strings, after a line-ending backslash) is
/// one of a few. Valid TOML has none outside strings and comments, so all are refused there.
[[nodiscard]] std::optional<UnbearableToml> find_unbearable(std::string_view text);

}  // namespace vaecuda::config
