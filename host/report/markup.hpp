// Text and bytes in the form that a page contains.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vaecuda {

/// `text` for any place in HTML, XML or a quoted attribute. Control characters (C0 other than line ends and
/// tabs, C1), bidirectional controls, and bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string escape_markup(std::string_view text);

/// A PNG file as a data URL (RFC 2397, base64).
[[nodiscard]] std::string png_address(std::span<const std::uint8_t> png);

/// A whole number with narrow spaces between groups of thousands: 1 234 567.
[[nodiscard]] std::string grouped(std::int64_t value);

/// A number with `digits` decimals, or with six digits if those would be too many; "not finite" if it is not.
[[nodiscard]] std::string number_words(double value, int digits);

}  // namespace vaecuda
