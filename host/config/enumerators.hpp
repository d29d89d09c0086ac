// The names of enumerators, obtained from the compiler: texts are derived from them, and two enumerations of
// one concept, the configuration's and the kernels', are checked against each other. The enumerations must
// have the values 0, 1, … in order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace vaecuda::config {

/// "relu" for Activation::relu; empty for a value without an enumerator.
template <auto kValue>
constexpr std::string_view enumerator_name() {
  // "… [with auto kValue = vaecuda::Activation::relu; …]", and "(vaecuda::Activation)6" where it has no name.
  constexpr std::string_view kBefore = "kValue = ";
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find(kBefore) + kBefore.size());
  text = text.substr(0, text.find_first_of(";]"));
  return text.front() == '(' ? std::string_view() : text.substr(text.rfind(':') + 1);
}

template <typename Enum, int kFrom = 0>
constexpr int enumerator_count() {
  if constexpr (enumerator_name<static_cast<Enum>(kFrom)>().empty()) {
    return kFrom;
  } else {
    return enumerator_count<Enum, kFrom + 1>();
  }
}

/// The name in options: "leaky-relu" for leaky_relu.
template <auto kValue>
struct EnumeratorText {
  static constexpr auto kLetters = [] {
    constexpr std::string_view kName = enumerator_name<kValue>();
    std::array<char, kName.size()> letters{};
    std::transform(kName.begin(), kName.end(), letters.begin(), [](char c) { return c == '_' ? '-' : c; });
    return letters;
  }();
  static constexpr std::string_view kText{kLetters.data(), kLetters.size()};
};

/// The texts of all enumerators, in their order.
template <typename Enum>
constexpr auto enumerator_texts() {
  return []<int... kValues>(std::integer_sequence<int, kValues...> /*values*/) {
    return std::array<std::string_view, sizeof...(kValues)>{
        EnumeratorText<static_cast<Enum>(kValues)>::kText...};
  }
  (std::make_integer_sequence<int, enumerator_count<Enum>()>{});
}

/// Whether `To` has exactly `kBefore` enumerators followed by those of `From`, by name and in order.
template <typename To, typename From, int kBefore = 0>
constexpr bool are_alike() {
  if (enumerator_count<To>() != enumerator_count<From>() + kBefore) return false;
  return []<int... kValues>(std::integer_sequence<int, kValues...> /*values*/) {
    return ((enumerator_name<static_cast<From>(kValues)>() ==
             enumerator_name<static_cast<To>(kValues + kBefore)>()) &&
            ...);
  }
  (std::make_integer_sequence<int, enumerator_count<From>()>{});
}

/// The enumerator of the same name in another enumeration of the same concept.
template <typename To, int kBefore = 0, typename From>
constexpr To same_as(From value) {
  static_assert(are_alike<To, From, kBefore>(),
                "the two enumerations have not the same enumerators in the same order");
  return static_cast<To>(static_cast<int>(value) + kBefore);
}

}  // namespace vaecuda::config
