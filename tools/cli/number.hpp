// Numbers of a program's own options, read as strictly as those of the option table.
#pragma once

#include <cstdint>
#include <string_view>

namespace vaecuda::cli {

/// \throws ConfigError with the option, the text given and the allowed range.
[[nodiscard]] std::int64_t parse_integer(std::string_view flag, std::string_view text, std::int64_t min,
                                         std::int64_t max);
/// \throws ConfigError likewise
[[nodiscard]] double parse_real(std::string_view flag, std::string_view text, double min, double max);
/// Above 0 and up to `max`. \throws ConfigError likewise
[[nodiscard]] double parse_positive(std::string_view flag, std::string_view text, double max);

}  // namespace vaecuda::cli
