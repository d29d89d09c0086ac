// Command lines as lists of words, and what a program's answer contains.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vaecuda::test {

using Words = std::vector<std::string>;

/// One list behind the other.
[[nodiscard]] inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace vaecuda::test
