#include "host/config/parse.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "host/config/utf8.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::config {
namespace {

constexpr std::string_view kTextRange = "UTF-8 text without NUL, at least one character";
constexpr std::string_view kFlagRange = "true or false";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "010" is 8 to some readers and 10 to others; "-0" has a sign without a meaning.
bool has_canonical_start(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !(text.size() > 1 && text[0] == '0' && is_digit(text[1]));
}

}  // namespace

std::string describe(const IntegerRange& range) {
  return fmt::format("a whole number from {} to {}", range.min, range.max);
}

std::string describe(const RealRange& range) {
  if (range.least > 0.0) {
    return fmt::format("0 or a number from {} to {}", format_real(range.least), format_real(range.max));
  }
  return fmt::format("a number {} {} {} {}", range.open_min ? "above" : "from", format_real(range.min),
                     range.open_max ? "to below" : "to", format_real(range.max));
}

std::string describe(std::span<const std::string_view> choices) {
  return fmt::format("one of {}", fmt::join(choices.begin(), choices.end(), ", "));
}

void refuse(std::string_view where, std::string_view text, std::string_view expected, std::string_view hint) {
  std::string message = text.empty() ? fmt::format("{}: the value is empty; expected {}", where, expected)
                                     : fmt::format("{}: {} is not {}", where, quoted(text), expected);
  if (!hint.empty()) message += fmt::format("; {}", hint);
  throw ConfigError(message);
}

std::int64_t parse_integer(std::string_view text, const IntegerRange& range, std::string_view where) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool whole = !text.empty() && stop == end && error == std::errc{};
  const bool canonical = has_canonical_start(text) && text != "-0";
  if (!whole || !canonical || value < range.min || value > range.max) refuse(where, text, describe(range));
  return value;
}

double parse_real(std::string_view text, const RealRange& range, std::string_view where) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, std::chars_format::general);
  const bool whole = !text.empty() && stop == end && error == std::errc{};
  const bool above = range.open_min ? value > range.min : value >= range.min;
  const bool below = range.open_max ? value < range.max : value <= range.max;
  const bool told = value == 0.0 || value >= range.least;
  if (!whole || !has_canonical_start(text) || !std::isfinite(value) || !above || !below || !told) {
    refuse(where, text, describe(range));
  }
  return value == 0.0 ? 0.0 : value;  // -0 would be written back as a negative number
}

bool parse_flag(std::string_view text, std::string_view where) {
  if (text != "true" && text != "false") refuse(where, text, kFlagRange);
  return text == "true";
}

std::size_t parse_choice(std::string_view text, std::span<const std::string_view> choices,
                         std::string_view where) {
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == text) return i;
  }
  const std::string nearest = nearest_name(text, choices);
  refuse(where, text, describe(choices),
         nearest.empty() ? std::string{} : fmt::format("did you mean {}?", nearest));
}

std::string parse_text(std::string_view text, std::string_view where) {
  if (text.empty() || text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    refuse(where, text, kTextRange);
  }
  return std::string(text);
}

std::string format_real(double value) {
  std::array<char, 64> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc{} ? std::string(buffer.data(), end) : std::string("nan");
}

}  // namespace vaecuda::config
