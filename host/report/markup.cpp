#include "host/report/markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/config/utf8.hpp"

namespace vaecuda {
namespace {

/// Control characters of C1, and the bidirectional embeddings, overrides and isolates.
bool is_obeyed(std::string_view letter) {
  if (letter.size() < 2) return false;
  const auto last = static_cast<unsigned char>(letter.back());
  if (letter.substr(0, 1) == "\xC2") return last < 0xA0;
  if (letter.substr(0, 2) == "\xE2\x80") return last >= 0xAA && last <= 0xAE;  // U+202A to U+202E
  return letter.substr(0, 2) == "\xE2\x81" && last >= 0xA6 && last <= 0xA9;    // U+2066 to U+2069
}

std::string_view entity_of(char letter) {
  switch (letter) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = config::sequence_length(text.substr(at));
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool control = byte == 0x7F || (byte < 0x20 && text[at] != '\n' && text[at] != '\t');
    if (size == 0 || control || is_obeyed(text.substr(at, size))) {
      result += config::kReplacement;
    } else if (const std::string_view entity = entity_of(text[at]); !entity.empty()) {
      result += entity;
    } else {
      result += text.substr(at, size);
    }
    at += std::max<std::size_t>(1, size);
  }
  return result;
}

std::string png_address(std::span<const std::uint8_t> png) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string address = "data:image/png;base64,";
  address.reserve(address.size() + (png.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < png.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, png.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8U | (i < count ? png[at + i] : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      address += i <= count ? kDigits[bits >> (18U - 6U * i) & 63U] : '=';
    }
  }
  return address;
}

std::string grouped(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  constexpr std::string_view kNarrowSpace = "\xE2\x80\xAF";  // U+202F
  const std::size_t sign = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) {
    at -= 3;
    digits.insert(at, kNarrowSpace);
  }
  return digits;
}

std::string number_words(double value, int digits) {
  constexpr double kManyDigits = 1e12;
  if (!std::isfinite(value)) return "not finite";
  return std::abs(value) < kManyDigits ? fmt::format("{:.{}f}", value, digits) : fmt::format("{:.6g}", value);
}

}  // namespace vaecuda
