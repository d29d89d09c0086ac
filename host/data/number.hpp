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

/// Reads a decimal number, correctly rounded to f32 (a tiny one becomes a denormal or zero). `value` is set
/// where the result is ok. Digits alone are an integer, which rounding would silently change: it is taken if
/// f32 holds it, and where it is the shortest text of the nearest f32, as programs write floats.
NumberStatus parse_f32(std::string_view text, float& value);

}  // namespace vaecuda::data
