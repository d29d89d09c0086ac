// Schedules are written as KIND or KIND:name=value,name=value: what stands behind the colon.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/config/parse.hpp"

namespace vaecuda::config {

/// The "name=value" parts behind a schedule's colon, and the place they stand at.
struct Parts {
  std::vector<std::pair<std::string_view, std::string_view>> items;
  std::string_view where;

  [[nodiscard]] std::string place(std::string_view name) const { return fmt::format("{}: {}", where, name); }

  /// The value of a part, empty where it is not given.
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

/// \throws ConfigError for a part that is no name=value, or stands there twice
[[nodiscard]] Parts split_parts(std::string_view text, std::string_view where);

}  // namespace vaecuda::config
