#include "host/config/toml_guard.hpp"

namespace vaecuda::config {
namespace {

/// Walks over TOML text, stepping over comments and strings. It has to agree with a parser up to the first
/// syntax error only, since the parser stops there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<UnbearableToml> find() {
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
      if (c == '[' && depth_ == 0 && !in_value_ && !is_header()) {
        return UnbearableToml{line_, "expected the name of a table behind '['"};
      }
      if (c == '.' && ++dots_ >= kMaxKeyParts) return UnbearableToml{line_, "a key of more than 128 parts"};
      take(c);
      advance();
    }
    return std::nullopt;
  }

 private:
  void take(char c) {
    if (c == '=') in_value_ = true;
    if (c == '[' || c == '{') ++depth_;
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
    if (c == '\n' && depth_ == 0) in_value_ = false;
    if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') dots_ = 0;
  }

  /// Whether a key, or what the parser itself refuses, stands behind the bracket or the two of them here.
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
  std::size_t dots_ = 0;   ///< in the key that is being read
  std::size_t depth_ = 0;  ///< open brackets and braces
  bool in_value_ = false;  ///< behind a key's =
};

}  // namespace

std::optional<UnbearableToml> find_unbearable(std::string_view text) {
  return Scanner(text).find();
}

}  // namespace vaecuda::config
