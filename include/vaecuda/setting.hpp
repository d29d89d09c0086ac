// A field of a configuration that not every kind of model, objective or optimizer has.
#pragma once

#include <utility>

namespace vaecuda {

/// A value, and whether somebody gave it. One that was given and can have no effect is refused (validate());
/// one that was not is what it usually is. Reads as its value; assigning one gives it.
template <typename T>
class Setting {
 public:
  explicit constexpr Setting(T usual) : value_(usual), usual_(std::move(usual)) {}
  Setting& operator=(T value) {
    value_ = std::move(value);
    is_given_ = true;
    return *this;
  }

  [[nodiscard]] constexpr const T& value() const { return value_; }
  // NOLINTNEXTLINE(google-explicit-constructor): it is its value
  constexpr operator const T&() const { return value_; }
  [[nodiscard]] constexpr const T* operator->() const { return &value_; }

  [[nodiscard]] constexpr bool is_given() const { return is_given_; }
  /// The usual value again, as nobody gave one.
  void forget() {
    value_ = usual_;
    is_given_ = false;
  }
  /// Keeps the value, as a preset's, which yields where it can have no effect.
  void take_as_usual() { is_given_ = false; }

 private:
  T value_;
  T usual_;
  bool is_given_ = false;
};

}  // namespace vaecuda
