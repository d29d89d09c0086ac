#include "host/model/json_scanner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "host/config/utf8.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

/// Writes the code point as UTF-8. Never longer than the escape that stood there (6 or 12 bytes).
char* append_utf8(char* to, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { *to++ = static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
  return to;
}

}  // namespace

JsonScanner::JsonScanner(std::span<char> text, std::string place, std::int64_t first_offset)
    : text_(text), place_(std::move(place)), first_offset_(first_offset) {}

void JsonScanner::fail(std::string_view what) const {
  throw FileError(fmt::format("{}, byte {}: {}", place_, offset(), what));
}

void JsonScanner::refuse(std::string_view expected) const {
  if (at_ >= text_.size()) fail(fmt::format("expected {}, found the end", expected));
  const std::string_view rest(text_.data() + at_, std::min<std::size_t>(text_.size() - at_, 16));
  fail(fmt::format("expected {}, found {}", expected, config::quoted(rest)));
}

void JsonScanner::refuse_count(std::size_t most) const {
  fail(fmt::format("expected at most {} elements in this array", most));
}

void JsonScanner::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    ++at_;
  }
}

bool JsonScanner::accept(char wanted) {
  skip_space();
  if (at_ >= text_.size() || text_[at_] != wanted) return false;
  ++at_;
  return true;
}

void JsonScanner::expect(char wanted) {
  if (!accept(wanted)) refuse(fmt::format("'{}'", wanted));
}

void JsonScanner::close(char bracket) {
  if (!accept(bracket)) refuse(fmt::format("',' or '{}'", bracket));
}

void JsonScanner::expect_end() {
  skip_space();
  if (at_ < text_.size()) refuse("nothing more");
}

bool JsonScanner::accept_word(std::string_view word) {
  skip_space();
  if (std::string_view(text_.data() + at_, text_.size() - at_).substr(0, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

bool JsonScanner::accept_null() {
  return accept_word("null");
}

bool JsonScanner::boolean() {
  if (accept_word("true")) return true;
  if (!accept_word("false")) refuse("true or false");
  return false;
}

bool JsonScanner::at_digit() const {
  return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
}

void JsonScanner::take_digits() {
  if (!at_digit()) refuse("a digit");
  while (at_digit()) ++at_;
}

std::int64_t JsonScanner::natural() {
  constexpr std::string_view kExpected = "a whole number from 0 to 9223372036854775807";
  skip_space();
  const std::size_t start = at_;
  if (!at_digit()) refuse(kExpected);
  take_digits();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + at_, value);
  const bool leading_zero = text_[start] == '0' && at_ - start > 1;
  const bool goes_on = at_ < text_.size() && std::strchr(".eE", text_[at_]) != nullptr && text_[at_] != '\0';
  if (error != std::errc{} || leading_zero || goes_on) {
    at_ = start;
    refuse(kExpected);
  }
  return value;
}

double JsonScanner::real() {
  skip_space();
  const std::size_t start = at_;
  const auto take = [&](char c) {
    const bool there = at_ < text_.size() && text_[at_] == c;
    if (there) ++at_;
    return there;
  };
  take('-');
  if (!at_digit()) refuse("a number");
  if (!take('0')) take_digits();
  if (take('.')) take_digits();
  if (take('e') || take('E')) {
    if (!take('-')) take('+');
    take_digits();
  }
  double value = 0.0;
  const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + at_, value);
  if (error != std::errc{}) {
    at_ = start;
    refuse("a number that a double can hold");
  }
  return value;
}

std::uint32_t JsonScanner::hex4() {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '"';
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<std::uint32_t>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      value = value * 16 + (static_cast<std::uint32_t>(c) & 0x0FU) + 9;
    } else {
      refuse("four hexadecimal digits");
    }
  }
  return value;
}

// Stands behind the backslash.
char* JsonScanner::decode_escape(char* to) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (at_ < text_.size() && text_[at_] != 'u') {
    const std::size_t index = kLetters.find(text_[at_]);
    if (index == std::string_view::npos) refuse("an escape that JSON knows");
    ++at_;
    *to = kMeanings[index];
    return to + 1;
  }
  if (at_ >= text_.size()) refuse("an escape");
  ++at_;
  std::uint32_t code = hex4();
  if (code >= 0xDC00 && code <= 0xDFFF) fail("a low surrogate without its high one");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.size() - at_ < 2 || text_[at_] != '\\' || text_[at_ + 1] != 'u') refuse("a low surrogate");
    at_ += 2;
    const std::uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail("a high surrogate without its low one");
    code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
  }
  return append_utf8(to, code);
}

std::string_view JsonScanner::string() {
  if (!accept('"')) refuse("a string");
  const std::size_t start = at_;
  char* const first = text_.data() + start;
  char* to = first;
  unsigned char all_bits = 0;
  while (true) {
    if (at_ >= text_.size()) refuse("'\"' at the end of a string");
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte == '"') break;
    if (byte < 0x20) fail(fmt::format("control character \\x{:02x} in a string", byte));
    ++at_;
    if (byte == '\\') {
      to = decode_escape(to);
      continue;
    }
    all_bits |= byte;
    *to++ = static_cast<char>(byte);
  }
  const std::string_view decoded(first, static_cast<std::size_t>(to - first));
  if (all_bits >= 0x80 && !config::is_utf8(decoded)) {
    at_ = start;
    fail("a string that is not UTF-8");
  }
  ++at_;
  return decoded;
}

void JsonScanner::pass_string() {
  if (!accept('"')) refuse("a string");
  while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
  if (at_ >= text_.size()) {
    at_ = text_.size();
    refuse("'\"' at the end of a string");
  }
  ++at_;
}

std::span<char> JsonScanner::skip_strings() {
  skip_space();
  const std::size_t start = at_;
  each_element(text_.size(), [&] { pass_string(); });
  return text_.subspan(start, at_ - start);
}

void JsonScanner::skip_scalar() {
  if (accept_null() || accept_word("true") || accept_word("false")) return;
  if (at_ < text_.size() && text_[at_] == '"') {
    string();
  } else if (at_ < text_.size() && (text_[at_] == '-' || at_digit())) {
    real();
  } else {
    refuse("a value");
  }
}

void JsonScanner::skip_value() {
  std::string open;  // the brackets that are due, the innermost last
  const auto pass_key = [this] {
    string();
    expect(':');
  };
  for (;;) {
    if (accept('[')) {
      if (!accept(']')) {
        open += ']';
        continue;
      }
    } else if (accept('{')) {
      if (!accept('}')) {
        open += '}';
        pass_key();
        continue;
      }
    } else {
      skip_scalar();
    }
    while (!open.empty() && !accept(',')) {
      close(open.back());
      open.pop_back();
    }
    if (open.empty()) return;
    if (open.back() == '}') pass_key();
  }
}

void JsonScanner::object(const std::vector<JsonMember>& members, std::size_t optional) {
  std::uint32_t seen = 0;
  each_member([&](std::string_view key) {
    std::size_t i = 0;
    while (i < members.size() && members[i].key != key) ++i;
    if (i == members.size()) {
      std::vector<std::string_view> keys;
      keys.reserve(members.size());
      for (const JsonMember& member : members) keys.push_back(member.key);
      fail(fmt::format("unknown key {}; expected {}", config::quoted(key), fmt::join(keys, ", ")));
    }
    if ((seen >> i & 1U) != 0) fail(fmt::format("key {} stands here twice", config::quoted(key)));
    seen |= 1U << i;
    members[i].pass();
  });
  for (std::size_t i = 0; i < std::min(optional, members.size()); ++i) {
    if ((seen >> i & 1U) == 0) fail(fmt::format("key '{}' is missing before this place", members[i].key));
  }
}

}  // namespace vaecuda
