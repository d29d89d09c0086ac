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

/// The first of what toml++ does not survive: it recurses once per part of a dotted key and overflows its
/// stack on more than kMaxKeyParts or so, and takes for granted that a table's header begins with a key.
[[nodiscard]] std::optional<UnbearableToml> find_unbearable(std::string_view text);

}  // namespace vaecuda::config
