#include "cli/number.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "vaecuda/error.hpp"

namespace vaecuda::cli {
namespace {

/// All of `text` as a number. No sign other than a minus, no leading zeros: "010" is 8 to some readers.
template <typename T>
bool read(std::string_view text, T& value) {
  const bool octal = text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !octal && error == std::errc{} && stop == text.data() + text.size();
}

}  // namespace

std::int64_t parse_integer(std::string_view flag, std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  if (!read(text, value) || value < min || value > max) {
    throw ConfigError(fmt::format("{}: '{}' is not a whole number from {} to {}", flag, text, min, max));
  }
  return value;
}

double parse_real(std::string_view flag, std::string_view text, double min, double max) {
  double value = 0.0;
  if (!read(text, value) || !(value >= min && value <= max)) {  // a comparison with nan is false
    throw ConfigError(fmt::format("{}: '{}' is not a number from {} to {}", flag, text, min, max));
  }
  return value;
}

double parse_positive(std::string_view flag, std::string_view text, double max) {
  double value = 0.0;
  if (!read(text, value) || !(value > 0.0 && value <= max)) {  // a comparison with nan is false
    throw ConfigError(fmt::format("{}: '{}' is not a number above 0 up to {}", flag, text, max));
  }
  return value;
}

}  // namespace vaecuda::cli
