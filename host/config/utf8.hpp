// Text from outside: whether it is UTF-8, and how it is shown in a message.
#pragma once

#include <string>
#include <string_view>

namespace vaecuda::config {

/// True for well-formed UTF-8 (shortest forms, no surrogates, up to U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);
/// As UTF-8: every byte that is none becomes U+FFFD, as in a model file.
[[nodiscard]] std::string repaired(std::string_view text);
/// In single quotes on one line: control characters and bytes that are no UTF-8 as \xNN, cut where long.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace vaecuda::config
