#include "host/config/toml_guard.hpp"

namespace vaecuda::config {
namespace {

/// Walks over TOML text, stepping over comments and strings. It has to agree with a parser up to the first
/// syntax error only, since the parser stops there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::size_t find_overlong_key() {
    std::size_t dots = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        skip_until_newline();
        continue;
      }
      if (c == '.') {
        if (++dots >= kMaxKeyParts) return line_;
      } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') {
        dots = 0;
      }
      advance();
    }
    return 0;
  }

 private:
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

  void skip_string(char quote) {
    const bool multiline = starts_triple(quote);
    at_ += multiline ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' && !multiline) return;  // unterminated: the parser's error
      if (c == '\\' && quote == '"') {
        advance();
        if (at_ < text_.size()) advance();
      } else if (multiline && starts_triple(quote)) {
        at_ += 3;
        // Up to two more quotes belong to the string.
        for (int extra = 0; extra < 2 && at_ < text_.size() && text_[at_] == quote; ++extra) ++at_;
        return;
      } else if (!multiline && c == quote) {
        ++at_;
        return;
      } else {
        advance();
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::size_t find_overlong_key(std::string_view text) {
  return Scanner(text).find_overlong_key();
}

}  // namespace vaecuda::config
