#include "host/model/json_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "host/config/utf8.hpp"

namespace vaecuda {

void JsonWriter::key(std::string_view name) {
  separate();
  append_string(name);
  text_ += ':';
  follows_ = false;
}

void JsonWriter::value(std::string_view text) {
  separate();
  append_string(text);
}

void JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  const std::size_t begin = text_.size();
  fmt::format_to(std::back_inserter(text_), "{}", number);
  // So that readers which tell them apart do not take it for an integer.
  if (text_.find_first_of(".e", begin) == std::string::npos) text_ += ".0";
}

void JsonWriter::value(std::int64_t number) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", number);
}

void JsonWriter::value(std::size_t number) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", number);
}

void JsonWriter::value(bool truth) {
  separate();
  text_ += truth ? "true" : "false";
}

void JsonWriter::null() {
  separate();
  text_ += "null";
}

void JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  follows_ = false;
}

void JsonWriter::close(char bracket) {
  text_ += bracket;
  follows_ = true;
}

void JsonWriter::separate() {
  if (follows_) text_ += ',';
  follows_ = true;
}

void JsonWriter::append_string(std::string_view text) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kBeyondAscii = 0x80;
  text_ += '"';
  while (true) {
    // What stands for itself, all at once.
    std::size_t plain = 0;
    for (const char each : text) {
      const auto byte = static_cast<unsigned char>(each);
      if (byte < kFirstPrintable || byte >= kBeyondAscii || each == '"' || each == '\\') break;
      ++plain;
    }
    text_ += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    const std::size_t length = config::sequence_length(text);
    if (const std::size_t at = kEscaped.find(c); at != std::string_view::npos) {
      text_ += '\\';
      text_ += kLetters[at];
    } else if (static_cast<unsigned char>(c) < kFirstPrintable) {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      text_ += length > 0 ? text.substr(0, length) : config::kReplacement;
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  text_ += '"';
}

}  // namespace vaecuda
