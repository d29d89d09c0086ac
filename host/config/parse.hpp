// Strict conversion between text and values, with errors that name the place, the text and the allowed
// values. Nothing is guessed: no leading '+' or zeros (octal to some readers), no hexadecimal, no nan, no
// trailing text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vaecuda::config {

struct IntegerRange {
  std::int64_t min;
  std::int64_t max;
};

struct RealRange {
  double min;
  double max;
  bool open_min = false;  ///< min itself is not allowed
  bool open_max = false;
  double least =
      0.0;  ///< above 0: the smallest value allowed other than 0, as fp32 cannot represent smaller ones
};

/// The range in words, as it follows "is not": "a whole number from 1 to 1024".
[[nodiscard]] std::string describe(const IntegerRange& range);
[[nodiscard]] std::string describe(const RealRange& range);
/// "one of a, b, c"
[[nodiscard]] std::string describe(std::span<const std::string_view> choices);

/// \throws ConfigError "<where>: '<text>' is not <expected>", followed by a semicolon and `hint` if given.
[[noreturn]] void refuse(std::string_view where, std::string_view text, std::string_view expected,
                         std::string_view hint = {});

// Each parser takes the whole text or throws ConfigError through refuse().
[[nodiscard]] std::int64_t parse_integer(std::string_view text, const IntegerRange& range,
                                         std::string_view where);
[[nodiscard]] double parse_real(std::string_view text, const RealRange& range, std::string_view where);
[[nodiscard]] bool parse_flag(std::string_view text, std::string_view where);
/// The index of `text` in `choices`.
[[nodiscard]] std::size_t parse_choice(std::string_view text, std::span<const std::string_view> choices,
                                       std::string_view where);
/// Any text but an empty one; UTF-8 without NUL, so that paths and config.toml carry it unchanged.
[[nodiscard]] std::string parse_text(std::string_view text, std::string_view where);

/// The shortest text that parse_real reads as the same value.
[[nodiscard]] std::string format_real(double value);

}  // namespace vaecuda::config
