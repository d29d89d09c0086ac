// Schedules are written as KIND or KIND:name=value,name=value: parsing of the part after the colon.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/config/parse.hpp"

namespace vaecuda::config {

/// The "name=value" parts after a schedule's colon, and their place in messages.
struct Parts {
  std::vector<std::pair<std::string_view, std::string_view>> items;
  std::string_view where;

  [[nodiscard]] std::string place(std::string_view name) const { return fmt::format("{}: {}", where, name); }

  /// The value of a part; empty if it is not given.
  [[nodiscard]] std::string_view find(std::string_view name) const {
    for (const auto& [key, value] : items) {
      if (key == name) return value;
    }
    return {};
  }

  void allow_only(std::span<const std::string_view> names) const {
    for (const auto& [key, value] : items) static_cast<void>(parse_choice(key, names, where));
  }
};

/// \throws ConfigError for a part that is not name=value, or is given twice
[[nodiscard]] Parts split_parts(std::string_view text, std::string_view where);

}  // namespace vaecuda::config
