// Splitting text at a separator.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace vaecuda::config {

/// The pieces between separators, empty ones included: n separators give n + 1 pieces.
[[nodiscard]] inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

}  // namespace vaecuda::config
