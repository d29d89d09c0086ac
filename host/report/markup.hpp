// Text and bytes as a page holds them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vaecuda {

/// `text` for any place in HTML, XML or a quoted attribute. Control characters (C0 other than line ends
/// and tabs, C1), those that turn the direction of writing, and bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string escape_markup(std::string_view text);

/// A PNG file as the address of a picture (RFC 2397, base64).
[[nodiscard]] std::string png_address(std::span<const std::uint8_t> png);

/// A whole number with its thousands set apart by narrow spaces: 1 234 567.
[[nodiscard]] std::string grouped(std::int64_t value);

/// A number in `digits` decimals, or in six digits where these would be many; "not finite" for what is not.
[[nodiscard]] std::string number_words(double value, int digits);

}  // namespace vaecuda
