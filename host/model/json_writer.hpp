// JSON (RFC 8259) on one line, appended to a string.
//
// No tree is built, so that nothing has to be allocated to take one down: a lack of memory leaves as an
// exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vaecuda {

/// The caller opens and closes; commas and colons come by themselves. Every value but the outermost is an
/// element or follows a key.
class JsonWriter {
 public:
  void open_object() { open('{'); }
  void close_object() { close('}'); }
  void open_array() { open('['); }
  void close_array() { close(']'); }
  void key(std::string_view name);

  /// Bytes that are no UTF-8 become U+FFFD.
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  /// The shortest digits that give the number back; null for what is not finite, since JSON has no name for
  /// it.
  void value(double number);
  void value(std::int64_t number);
  void value(std::size_t number);
  void value(bool truth);
  void null();

  template <typename T>
  void member(std::string_view name, const T& it) {
    key(name);
    value(it);
  }
  template <typename Range>
  void array(std::string_view name, const Range& values) {
    key(name);
    open_array();
    for (const auto& each : values) value(each);
    close_array();
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();
  void append_string(std::string_view text);

  std::string text_;
  bool follows_ = false;  ///< a comma is due before the next element
};

}  // namespace vaecuda
