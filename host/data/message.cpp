#include "host/data/message.hpp"

#include <array>

#include "host/config/utf8.hpp"

namespace vaecuda::data {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::size_t length = text.size();
  if (length > kLongest) {
    length = kLongest;
    // The cut must not split a UTF-8 sequence.
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  }
  std::string result = "\"";
  for (const char letter : text.substr(0, length)) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code == 0x7f) {
      result += fmt::format("\\x{:02x}", code);
    } else {
      result += letter;
    }
  }
  return result + (length < text.size() ? "…\"" : "\"");
}

void require_text(const std::string& path, std::int64_t line, std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return;
  fail(path, "line {}: {} holds a zero byte, which no name and no label can; write it without", line,
       in_quotes(text));
}

void require_label(const std::string& path, std::int64_t line, std::string_view label) {
  require_text(path, line, label);
  if (config::is_utf8(label)) return;
  fail(path, "line {}: the label {} is no UTF-8; save the table as UTF-8 (iconv -f WINDOWS-1252 -t UTF-8)",
       line, in_quotes(label));
}

std::string readable_bytes(double bytes) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024.0) return fmt::format("{:.0f} bytes", bytes);
  std::size_t unit = 0;
  bytes /= 1024.0;
  while (bytes >= 1024.0 && unit + 1 < kUnits.size()) {
    bytes /= 1024.0;
    ++unit;
  }
  return fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace vaecuda::data
