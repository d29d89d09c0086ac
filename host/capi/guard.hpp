// Common parts of the functions of the C API: catching all exceptions and converting them to a status and a
// message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaecuda/error.hpp"
#include "vaecuda/vaecuda.h"

namespace vaecuda::capi {

/// Stores the message of the exception being handled for vaecuda_last_error(); returns its status.
int keep_current_exception() noexcept;

/// Runs `body`, which returns a status or void.
template <typename Body>
int guarded(Body&& body) noexcept {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return VAECUDA_OK;
    } else {
      return body();
    }
  } catch (...) {
    return keep_current_exception();
  }
}

/// \throws ConfigError for NULL, naming the argument
template <typename T>
T& required(T* pointer, std::string_view argument) {
  if (pointer == nullptr) throw ConfigError(std::string(argument) + " is NULL");
  return *pointer;
}
/// The same for a C string.
std::string required_text(const char* text, std::string_view argument);

/// The same for an array of C strings.
std::vector<std::string> required_texts(const char* const* texts, std::size_t count,
                                        std::string_view argument);

/// rows × columns. \throws ConfigError for a negative factor or a product that no memory could hold
std::int64_t checked_count(std::int64_t rows, std::int64_t columns);

/// Throws ConfigError unless `buffer` holds at least `needed` elements.
void require_room(const void* buffer, std::size_t size, std::int64_t needed, std::string_view argument);

/// Copies the members of a structure that its caller knows; a caller compiled with an older header knows
/// fewer. \throws ConfigError if its size was not set
template <typename Struct>
Struct read_struct(const Struct* given, Struct defaults, std::string_view argument) {
  if (given == nullptr) return defaults;
  if (given->size < sizeof(std::size_t) || given->size > 16 * sizeof(Struct)) {
    throw ConfigError(std::string(argument) +
                      "->size is not the size of the structure: start it with its _INIT");
  }
  std::memcpy(static_cast<void*>(&defaults), given, std::min(given->size, sizeof(Struct)));
  return defaults;
}
/// The reverse: fills the members that the caller knows and leaves `size` unchanged.
template <typename Struct>
void write_struct(Struct* target, const Struct& values, std::string_view argument) {
  const std::size_t size = read_struct(target, values, argument).size;
  std::memcpy(static_cast<void*>(target), &values, std::min(size, sizeof(Struct)));
  target->size = size;
}

/// Copies text into a caller's buffer, with a final zero. \throws ConfigError if it does not fit
void give_text(const std::string& from, char* text, std::size_t size, std::size_t* length);

}  // namespace vaecuda::capi
