#include "cli/visible.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

namespace vaecuda::cli {
namespace {

/// A character of a text: its code point and its number of bytes; no code point if it is not UTF-8.
struct Letter {
  std::uint32_t code = 0;
  std::size_t size = 0;
};

Letter first_letter(std::string_view text) {
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text[i])}; };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  std::uint32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < kLeast[size] || code > 0x10FFFF || surrogate ? Letter{} : Letter{code, size};
}

/// Ranges of code points that terminals interpret or do not show: C0; DEL and C1; Unicode's Bidi_Control;
/// separators of lines and paragraphs; annotations; tags.
constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 9> kObeyed = {{{0x00, 0x1F},
                                                                             {0x7F, 0x9F},
                                                                             {0x061C, 0x061C},
                                                                             {0x200E, 0x200F},
                                                                             {0x2028, 0x202E},
                                                                             {0x2066, 0x206F},
                                                                             {0xFEFF, 0xFEFF},
                                                                             {0xFFF9, 0xFFFB},
                                                                             {0xE0000, 0xE007F}}};

bool is_obeyed(std::uint32_t code) {
  return std::any_of(kObeyed.begin(), kObeyed.end(),
                     [code](const auto& range) { return code >= range.first && code <= range.second; });
}

/// JSON's notation: above 16 bits as a pair of surrogates.
void append_code(std::string& result, std::uint32_t code) {
  auto to = std::back_inserter(result);
  if (code < 0x10000) {
    fmt::format_to(to, "\\u{:04x}", code);
  } else {
    const std::uint32_t rest = code - 0x10000;
    fmt::format_to(to, "\\u{:04x}\\u{:04x}", 0xD800U + (rest >> 10U), 0xDC00U + (rest & 0x3FFU));
  }
}

/// `stays(rest)`: whether the control character at the start of `rest` is kept.
template <typename Stays>
std::string escaped(std::string_view text, Stays&& stays) {
  std::string result;
  result.reserve(text.size());
  const auto is_plain = [](char letter) { return letter >= ' ' && letter <= '~'; };
  while (!text.empty()) {
    const auto plain =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
    result += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Letter letter = first_letter(text);
    if (letter.size == 0) {
      fmt::format_to(std::back_inserter(result), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (is_obeyed(letter.code) && !stays(text)) {
      append_code(result, letter.code);
    } else {
      result += text.substr(0, letter.size);
    }
    text.remove_prefix(std::max<std::size_t>(1, letter.size));
  }
  return result;
}

}  // namespace

std::string visible(std::string_view text) {
  return escaped(text, [](std::string_view rest) { return rest[0] == '\n' || rest[0] == '\t'; });
}

std::string visible_name(std::string_view name) {
  return escaped(name, [](std::string_view) { return false; });
}

std::string visible_message(std::string_view message) {
  return escaped(message, [](std::string_view rest) { return rest.substr(0, 3) == "\n  "; });
}

}  // namespace vaecuda::cli
