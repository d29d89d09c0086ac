// External text: whether it is UTF-8, and its form in messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vaecuda::config {

/// U+FFFD, for bytes that are not UTF-8.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the well-formed sequence at the start of `text`, which is not empty; 0 if there is none
/// (Unicode, table 3-7).
[[nodiscard]] std::size_t sequence_length(std::string_view text);
/// True for well-formed UTF-8 (shortest forms, no surrogates, up to U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);
/// As UTF-8: every invalid byte becomes U+FFFD, as in a model file.
[[nodiscard]] std::string repaired(std::string_view text);
/// In single quotes on one line: control characters and bytes that are not UTF-8 as \xNN, truncated if long.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace vaecuda::config
