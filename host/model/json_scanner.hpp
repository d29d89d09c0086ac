// Strict JSON (RFC 8259) from untrusted files, read forwards by code that knows what must come next.
//
// No tree is built and nothing recurses: a document needs next to no memory beside its text, however it is
// nested, and a surprise is reported with its byte offset. Numbers are what they claim to be: no wrapped
// sign, no cut fraction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vaecuda {

/// A key of an object, and what reads or writes its value.
struct JsonMember {
  std::string_view key;
  std::function<void()> pass;
};

class JsonScanner {
 public:
  /// Strings are decoded where they lie in `text`, which must outlive the scanner and what it returns.
  /// `place` says in messages what is read ("m.safetensors: header"); the text's first byte counts as
  /// `first_offset` there.
  JsonScanner(std::span<char> text, std::string place, std::int64_t first_offset = 0);

  // Every reader skips white space first, and throws FileError if something else is there.

  /// Takes the character `wanted`, if it comes next.
  bool accept(char wanted);
  void expect(char wanted);
  /// Well-formed UTF-8, escapes resolved. Valid as long as the text.
  std::string_view string();
  /// An integer from 0 to 2^63 − 1, written without sign, fraction or exponent.
  std::int64_t natural();
  /// A number that a double can hold (finite, no underflow).
  double real();
  bool boolean();
  bool accept_null();
  /// Only white space may be left.
  void expect_end();

  /// Passes over an array of strings without decoding them. Returns its text, brackets included.
  std::span<char> skip_strings();
  /// Passes over a value of any kind, however deep. Needs a byte of memory for each level.
  void skip_value();

  /// {"key": …, …}: calls on_member(key) with the scanner before each value.
  template <class F>
  void each_member(F&& on_member) {
    expect('{');
    if (accept('}')) return;
    do {
      const std::string_view key = string();
      expect(':');
      on_member(key);
    } while (accept(','));
    close('}');
  }

  /// [ …, … ] of at most `most` elements: calls on_element() with the scanner before each.
  template <class F>
  void each_element(std::size_t most, F&& on_element) {
    expect('[');
    if (accept(']')) return;
    std::size_t count = 0;
    do {
      if (++count > most) refuse_count(most);
      on_element();
    } while (accept(','));
    close(']');
  }

  /// An object with exactly these members (at most 32), in any order: each reads its value. Those from
  /// `optional` on may be missing.
  void object(const std::vector<JsonMember>& members, std::size_t optional = std::string_view::npos);

  /// Byte offset of what comes next, as in messages.
  [[nodiscard]] std::int64_t offset() const { return first_offset_ + static_cast<std::int64_t>(at_); }
  /// \throws FileError "<place>, byte <offset>: <what>"
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void skip_space();
  [[nodiscard]] bool at_digit() const;
  void take_digits();
  void close(char bracket);
  void pass_string();
  void skip_scalar();
  char* decode_escape(char* to);
  std::uint32_t hex4();
  bool accept_word(std::string_view word);
  [[noreturn]] void refuse(std::string_view expected) const;
  [[noreturn]] void refuse_count(std::size_t most) const;

  std::span<char> text_;
  std::string place_;
  std::int64_t first_offset_;
  std::size_t at_ = 0;
};

}  // namespace vaecuda
