// Looks at TOML text before the parser does, for what the parser cannot bear.
#pragma once

#include <cstddef>
#include <string_view>

namespace vaecuda::config {

inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxKeyParts = 128;

/// toml++ recurses once per part of a dotted key and overflows its stack on a long one. Returns the line of
/// the first key with more than kMaxKeyParts parts, 0 where there is none.
[[nodiscard]] std::size_t find_overlong_key(std::string_view text);

}  // namespace vaecuda::config
