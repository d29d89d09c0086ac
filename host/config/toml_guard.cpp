#include "host/config/toml_guard.hpp"

#include <string>

namespace vaecuda::config {
namespace {

bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

/// Scans TOML text, skipping comments and strings. It must agree with the parser only up to the first syntax
/// error, where the parser stops.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) at_ = kByteOrderMark.size();
  }

  std::optional<UnbearableToml> find() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (const std::string_view fault = find_fault(c); !fault.empty()) return UnbearableToml{line_, fault};
      if (c == '"' || c == '\'') {
        if (!skip_string(c)) {
          return UnbearableToml{line_,
                                "found '\\' before a character outside ASCII; write the string without it"};
        }
      } else if (c == '#') {
        skip_until_newline();
      } else {
        take(c);
        advance();
      }
    }
    return std::nullopt;
  }

 private:
  /// What the parser does not handle safely here; empty if there is nothing.
  std::string_view find_fault(char c) {
    if (c == '[' && open_.empty() && !in_value() && !is_header()) {
      return "expected the name of a table behind '['";
    }
    if (c == '}' && !open_.empty() && open_.back() == kArray) return "expected a value or ']', found '}'";
    if (in_value()) {
      if (c == '-' && in_date()) return "found a date or time, which no option takes; text needs quotes";
      if (c == ':') return "found ':' outside quotes; no option takes a time, and text needs quotes";
      if ((c == '"' || c == '\'') && in_word_)
        return "found a quote within a value; expected it to begin there";
    }
    if (is_beyond_ascii(c)) return "found a character outside ASCII outside quotes; text needs quotes";
    if (c == '.' && ++dots_ >= kMaxKeyParts) return "a key of more than 128 parts";
    return "";
  }

  bool in_value() const {
    return open_.empty() ? behind_equals_ : open_.back() == kArray || open_.back() == kTableValue;
  }

  void take(char c) {
    const auto is_one_of = [c](std::string_view all) { return all.find(c) != std::string_view::npos; };
    if (in_word_ && in_value() && is_one_of("=[{")) return;  // part of the word, as the parser reads it
    if (is_one_of(" \t\n\v\f\r,]}") || c == '=') {
      in_word_ = false;
    } else if (!is_one_of("=[{")) {
      if (!in_word_) word_begin_ = c;
      in_word_ = true;
    }
    if (is_one_of("\n=,[]{}")) dots_ = 0;
    if (c == '[') open_ += in_value() ? kArray : kHeader;
    if (c == '{') open_ += kTableKey;
    if (is_one_of("]}") && !open_.empty()) open_.pop_back();
    if (open_.empty()) {
      if (c == '=') behind_equals_ = true;
      if (c == '\n') behind_equals_ = false;
    } else {
      if (c == '=' && open_.back() == kTableKey) open_.back() = kTableValue;
      if (c == ',' && open_.back() == kTableValue) open_.back() = kTableKey;
    }
  }

  /// Whether the one or two brackets here are followed by a key, or by something that the parser itself
  /// refuses.
  bool is_header() const {
    const auto skip_spaces = [this](std::size_t at) {
      while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t')) ++at;
      return at;
    };
    std::size_t at = skip_spaces(at_ + 1);
    if (at < text_.size() && text_[at] == '[') at = skip_spaces(at + 1);
    if (at == text_.size()) return true;
    const char c = text_[at];
    const bool bare =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    return bare || c == '"' || c == '\'' || c == ']';
  }

  /// Whether the minus here is inside a token that began as a number, and is not that of an exponent.
  bool in_date() const {
    const char last = at_ > 0 ? text_[at_ - 1] : ' ';
    return in_word_ && word_begin_ >= '0' && word_begin_ <= '9' && last != 'e' && last != 'E';
  }

  void advance() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }

  void skip_until_newline() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

  bool starts_triple(char quote) const {
    return at_ + 2 < text_.size() && text_[at_] == quote && text_[at_ + 1] == quote &&
           text_[at_ + 2] == quote;
  }

  /// Whether the backslash here is followed by white space and then a character outside ASCII.
  bool escapes_beyond_ascii() const {
    const std::size_t at = text_.find_first_not_of(" \t\n\v\f\r", at_ + 1);
    return at != std::string_view::npos && is_beyond_ascii(text_[at]);
  }

  /// False at an escape that the parser does not handle safely.
  bool skip_string(char quote) {
    const bool multiline = starts_triple(quote);
    at_ += multiline ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' && !multiline) return true;  // unterminated: the parser's error
      if (c == '\\' && quote == '"') {
        if (multiline && escapes_beyond_ascii()) return false;
        advance();
        if (at_ < text_.size()) advance();
      } else if (multiline && starts_triple(quote)) {
        at_ += 3;
        // Up to two more quotes belong to the string.
        for (int extra = 0; extra < 2 && at_ < text_.size() && text_[at_] == quote; ++extra) ++at_;
        return true;
      } else if (!multiline && c == quote) {
        ++at_;
        return true;
      } else {
        advance();
      }
    }
    return true;
  }

  static constexpr char kHeader = 'h';  ///< the brackets around a table's name
  static constexpr char kArray = 'a';
  static constexpr char kTableKey = 'k';    ///< an inline table, before an =
  static constexpr char kTableValue = 'v';  ///< an inline table, after an =

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t dots_ = 0;        ///< in the current key
  std::string open_;            ///< brackets and braces, the innermost last
  bool behind_equals_ = false;  ///< of a key outside brackets, up to the end of the line
  char word_begin_ = ' ';
  bool in_word_ = false;  ///< within a key or value without quotes
};

}  // namespace

std::optional<UnbearableToml> find_unbearable(std::string_view text) {
  return Scanner(text).find();
}

}  // namespace vaecuda::config
