// Looks at TOML text before the parser does, for what the parser cannot bear.
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

/// The first of what toml++ does not survive. It recurses once per part of a dotted key and overflows its
/// stack on more than kMaxKeyParts or so. It takes for granted, without looking, that a table's header begins
/// with a key, that no array's element begins with '}', what a time looks like (no option takes one), and
/// that a character outside ASCII where white space may stand (outside strings, behind a line-ending
/// backslash) is one of a few. In sound TOML none stands outside strings and comments, so all are refused
/// there.
[[nodiscard]] std::optional<UnbearableToml> find_unbearable(std::string_view text);

}  // namespace vaecuda::config
