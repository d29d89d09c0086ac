// A configuration field that has no effect for some kinds of model, objective or optimizer.
#pragma once

#include <utility>

namespace vaecuda {

/// A value, and whether it was given explicitly. A given value that has no effect is refused (validate());
/// one that is not given may have none. Converts to its value; assignment gives it.
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
  // NOLINTNEXTLINE(google-explicit-constructor): reads as a plain field
  constexpr operator const T&() const { return value_; }
  [[nodiscard]] constexpr const T* operator->() const { return &value_; }

  [[nodiscard]] constexpr bool is_given() const { return is_given_; }
  /// Back to the default, not given.
  void forget() {
    value_ = usual_;
    is_given_ = false;
  }
  /// Keeps the value but marks it as not given, as for a preset's values: without effect, it is not refused.
  void take_as_usual() { is_given_ = false; }

 private:
  T value_;
  T usual_;
  bool is_given_ = false;
};

}  // namespace vaecuda
