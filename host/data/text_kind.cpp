#include "host/data/text_kind.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "host/data/number.hpp"

namespace vaecuda::data {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// Of any size: without its comma, a number with decimals has digits for an integer that f32 cannot hold.
bool is_number(std::string_view text) {
  float value = 0.0F;
  const NumberStatus status = parse_f32(text, value);
  return status == NumberStatus::ok || status == NumberStatus::inexact || status == NumberStatus::too_large;
}

/// The form of the text: a run of digits is one '9', other bytes stand for themselves.
std::string form_of(std::string_view text) {
  constexpr std::size_t kEnough = 16;
  std::string form;
  for (const char letter : text.substr(0, 2 * kEnough)) {
    if (!is_digit(letter)) {
      form += letter;
    } else if (form.empty() || form.back() != '9') {
      form += '9';
    }
  }
  return form.substr(0, kEnough);
}

bool is_date(std::string_view form) {
  constexpr std::array<std::string_view, 4> kForms = {"9-9-9", "9/9/9", "9.9.9", "9:9"};
  return std::any_of(kForms.begin(), kForms.end(),
                     [form](std::string_view start) { return form.substr(0, start.size()) == start; });
}

bool is_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords = {"true", "false", "yes", "no", "t", "f"};
  std::string small(text.substr(0, 6));
  for (char& letter : small) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text.size() < 6 && std::find(kWords.begin(), kWords.end(), small) != kWords.end();
}

}  // namespace

TextKind text_kind(std::string_view text) {
  if (is_boolean(text)) return TextKind::boolean;
  constexpr std::size_t kShortestWithDots = 8;  // "1.2.24" may be anything
  const bool has_dots_alone = text.find_first_not_of("0123456789.") == std::string_view::npos;
  // "1.234,5" and "1,234.5" alike.
  std::string without(text);
  std::erase_if(without, [](char letter) { return letter == ',' || letter == '.'; });
  if (text.find(',') != std::string_view::npos && is_number(without)) return TextKind::decimal_comma;
  if (is_date(form_of(text)) && (!has_dots_alone || text.size() >= kShortestWithDots)) return TextKind::date;
  const std::size_t first = text.find_first_of("0123456789");
  const std::size_t last = text.find_last_of("0123456789");
  constexpr std::size_t kLongestUnit = 6;
  if (first != std::string_view::npos && text.size() - (last + 1 - first) <= kLongestUnit) {
    const bool has_sign = text.find_first_of("%$") != std::string_view::npos ||
                          text.find("\xe2\x82\xac") != std::string_view::npos ||
                          text.find("\xc2\xa3") != std::string_view::npos;
    const bool has_space = text.find(' ') != std::string_view::npos;
    if ((has_sign || has_space) && is_number(text.substr(first, last + 1 - first))) return TextKind::unit;
  }
  return TextKind::other;
}

}  // namespace vaecuda::data
