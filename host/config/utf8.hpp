// External text: whether it is UTF-8, and its form in messages.
#pragma once

#include <string>
#include <string_view>

namespace vaecuda::config {

/// True for well-formed UTF-8 (shortest forms, no surrogates, up to U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);
/// As UTF-8: every invalid byte becomes U+FFFD, as in a model file.
[[nodiscard]] std::string repaired(std::string_view text);
/// In single quotes on one line: control characters and bytes that are not UTF-8 as \xNN, truncated if long.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace vaecuda::config
