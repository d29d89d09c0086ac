#include "host/config/schedule_parts.hpp"

#include <cstddef>

#include "host/config/split.hpp"

namespace vaecuda::config {

Parts split_parts(std::string_view text, std::string_view where) {
  Parts parts{{}, where};
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == part.size()) {
      refuse(where, part, "of the form name=value");
    }
    const std::string_view name = part.substr(0, equals);
    if (!parts.find(name).empty()) refuse(where, text, "a list in which every part is given once");
    parts.items.emplace_back(name, part.substr(equals + 1));
  }
  return parts;
}

}  // namespace vaecuda::config
