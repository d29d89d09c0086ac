// Numbers written as text, read the same under every locale.
#pragma once

#include <string_view>

namespace vaecuda::data {

enum class NumberStatus {
  ok,
  text,        ///< not a number at all
  missing,     ///< empty, or one of the words that programs write for "no value": nan, NA, null …
  not_finite,  ///< an infinity
  too_large,   ///< finite, but not for a 32-bit float
  inexact      ///< an integer, written as such, that no 32-bit float holds
};

/// What is wrong with a text of this status where a value must stand, with what is expected: "is missing: …".
[[nodiscard]] std::string_view complaint(NumberStatus status);

/// Without blanks at its ends, which only quotes can bring into a cell.
[[nodiscard]] std::string_view without_blanks(std::string_view text);
/// Without the plus sign of a number, which from_chars does not know.
[[nodiscard]] std::string_view without_plus(std::string_view text);
/// True for what programs write for "no value": nothing, nan, NA, null …; blanks at its ends do not count.
[[nodiscard]] bool is_missing(std::string_view text);

/// Reads a decimal number, correctly rounded to f32 (a tiny one becomes a denormal or zero). `value` is set
/// where the result is ok. Digits alone are an integer, which rounding would silently change: it is taken if
/// f32 holds it, and where it is the shortest text of the nearest f32, as programs write floats. Blanks at
/// its ends do not count.
NumberStatus parse_f32(std::string_view text, float& value);

}  // namespace vaecuda::data
