#include "host/data/number.hpp"

#include <algorithm>
#include <array>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <system_error>

namespace vaecuda::data {
namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// from_chars reports the same error for a number too small and for one too large.
bool is_tiny(std::string_view text) {
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) return text.substr(exponent + 1, 1) == "-";
  return text.substr(0, text.find('.')).find_first_of("123456789") == std::string_view::npos;
}

/// The digits of a whole number in full, and the fewest that read as it, with zeros behind them.
std::array<std::string, 2> integer_texts(float size) {
  std::array<char, 64> buffer;
  char* const begin = buffer.data();
  char* const end = begin + buffer.size();
  const std::string full(begin, std::to_chars(begin, end, size, std::chars_format::fixed, 0).ptr);
  std::string fewest(begin, std::to_chars(begin, end, size, std::chars_format::scientific).ptr);
  fewest.erase(fewest.find('e'));
  std::erase(fewest, '.');
  fewest.resize(std::max(fewest.size(), full.size()), '0');
  return {full, fewest};
}

/// True for an integer's digits that f32 neither holds nor would be written by.
bool loses_integer(std::string_view text, float value) {
  constexpr float kAllHeld = 16777216.0F;  // 2^24: every integer below it is an f32
  if (std::abs(value) < kAllHeld) return false;
  if (text.front() == '-') text.remove_prefix(1);
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  const auto [full, fewest] = integer_texts(std::abs(value));
  return text != full && text != fewest;
}

NumberStatus parse_extreme(std::string_view text, float& value) {
  double wide = 0.0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), wide);
  if (status == std::errc::result_out_of_range) {
    if (!is_tiny(text)) return NumberStatus::too_large;
    wide = text.front() == '-' ? -0.0 : 0.0;
  }
  if (std::abs(wide) > static_cast<double>(FLT_MAX)) return NumberStatus::too_large;
  value = static_cast<float>(wide);
  return NumberStatus::ok;
}

}  // namespace

std::string_view complaint(NumberStatus status) {
  switch (status) {
    case NumberStatus::ok:
      return "is a value";
    case NumberStatus::text:
      return "is no number";
    case NumberStatus::missing:
      return "stands for a missing value; every value must be there";
    case NumberStatus::not_finite:
      return "is not finite; every value must be";
    case NumberStatus::too_large:
      return "is too large for a 32-bit float (at most 3.4028235e38)";
    case NumberStatus::inexact:
      break;
  }
  return "is an integer that a 32-bit float cannot hold exactly";
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

std::string_view without_plus(std::string_view text) {
  const bool has_plus = text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+';
  return has_plus ? text.substr(1) : text;
}

bool is_missing(std::string_view text) {
  text = without_blanks(text);
  constexpr std::array<std::string_view, 18> kWords = {
      "",     "nan", "-nan", "na", "n/a", "#n/a",   "#na",     "null",    "none",
      "<na>", "nat", "?",    "-",  "--",  "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](auto word) { return equals_ignoring_case(text, word); });
}

NumberStatus parse_f32(std::string_view text, float& value) {
  const std::string_view digits = without_plus(text);
  float parsed = 0.0F;
  const char* const end = digits.data() + digits.size();
  const auto [stop, status] = std::from_chars(digits.data(), end, parsed);
  if (status == std::errc::invalid_argument || stop != end) {
    if (const std::string_view bare = without_blanks(text); bare.size() < text.size())
      return parse_f32(bare, value);
    return is_missing(text) ? NumberStatus::missing : NumberStatus::text;
  }
  if (status == std::errc::result_out_of_range) return parse_extreme(digits, value);
  if (!std::isfinite(parsed)) return std::isnan(parsed) ? NumberStatus::missing : NumberStatus::not_finite;
  if (loses_integer(digits, parsed)) return NumberStatus::inexact;
  value = parsed;
  return NumberStatus::ok;
}

}  // namespace vaecuda::data
