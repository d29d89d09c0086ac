// Elements of arrays, from files and from memory: their C++ types, and the rules by which they become f32 or
// labels.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "host/data/array.hpp"
#include "host/data/message.hpp"

namespace vaecuda::data {

// b1 needs a type of its own: its only values are 0 and 1.
struct Bool {
  std::uint8_t value;
};

// Calls f with a value of the C++ type that stands for the scalar.
template <class F>
auto with_type(Scalar scalar, F&& f) {
  switch (scalar) {
    case Scalar::b1:
      return f(Bool{});
    case Scalar::u8:
      return f(std::uint8_t{});
    case Scalar::i8:
      return f(std::int8_t{});
    case Scalar::u16:
      return f(std::uint16_t{});
    case Scalar::i16:
      return f(std::int16_t{});
    case Scalar::u32:
      return f(std::uint32_t{});
    case Scalar::i32:
      return f(std::int32_t{});
    case Scalar::u64:
      return f(std::uint64_t{});
    case Scalar::i64:
      return f(std::int64_t{});
    case Scalar::f32:
      return f(float{});
    case Scalar::f64:
      break;
  }
  return f(double{});
}

template <class T>
T decode(const std::uint8_t* bytes, bool swap) {
  std::array<std::uint8_t, sizeof(T)> raw{};
  std::memcpy(raw.data(), bytes, sizeof(T));
  if (swap) std::reverse(raw.begin(), raw.end());
  T value;
  std::memcpy(&value, raw.data(), sizeof(T));
  return value;
}

// True where the 24 bits of f32's significand hold the integer.
inline bool is_exact_in_f32(std::uint64_t magnitude) {
  return magnitude == 0 || (magnitude >> std::countr_zero(magnitude)) < (std::uint64_t{1} << 24);
}

// Why a value cannot be used as f32; empty where it can.
template <class T>
std::string refusal(T value) {
  if constexpr (std::is_same_v<T, Bool>) {
    return value.value > 1 ? fmt::format("byte {} is not a boolean (0 or 1)", value.value) : "";
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return fmt::format("the value is {}; every value must be finite", value);
    if (std::abs(static_cast<double>(value)) > static_cast<double>(FLT_MAX)) {
      return fmt::format("{} is too large for a 32-bit float (at most 3.4028235e38)", value);
    }
  } else {
    const auto wide = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    if (!is_exact_in_f32(value < T{0} ? std::uint64_t{0} - wide : wide)) {
      return fmt::format(
          "a 32-bit float cannot hold the integer {} exactly; subtract a constant from the "
          "column (its smallest value), or store floats if its last digits do not matter",
          value);
    }
  }
  return "";
}

template <class T>
float to_f32(T value) {
  if constexpr (std::is_same_v<T, Bool>) {
    return value.value != 0 ? 1.0F : 0.0F;
  } else {
    return static_cast<float>(value);
  }
}

// The common case of refusal(), cheap enough for every element.
template <class T>
bool is_usable(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::abs(value) <= static_cast<T>(FLT_MAX);  // false for nan too
  } else {
    return refusal(value).empty();
  }
}
template <>
inline bool is_usable(Bool value) {
  return value.value <= 1;
}

template <class T>
bool is_nan(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value);
  } else {
    return false;
  }
}

// Why a value cannot be a label; empty where it can.
template <class T>
std::string label_refusal(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
    const auto wide = static_cast<double>(value);
    if (std::abs(wide) < kExactIntegers && std::trunc(wide) == wide) return "";
    return fmt::format("label {} is not an integer; a class is a whole number or a text", value);
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return value > INT64_MAX ? fmt::format("label {} is larger than 2^63", value) : "";
  } else {
    return "";
  }
}

template <class T>
std::int64_t to_label(T value) {
  if constexpr (std::is_same_v<T, Bool>) {
    return value.value;
  } else {
    return static_cast<std::int64_t>(value);
  }
}

}  // namespace vaecuda::data
