// What is fuzzed: each target gives bytes to one parser of untrusted files. Whatever they are, the parser
// returns or throws one of the library's errors; anything else is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vaecuda::fuzz {

using Bytes = std::span<const std::uint8_t>;

struct Target {
  std::string_view name;  ///< also of its folder of seeds and of its dictionary
  void (*run)(Bytes bytes);
};

[[nodiscard]] std::span<const Target> targets();

}  // namespace vaecuda::fuzz
