// A picture in memory, in the form that reports draw.
#pragma once

#include <cstdint>
#include <vector>

namespace vaecuda {

/// height × width × channels bytes, row-major, channels fastest. One channel is grey, three are red, green,
/// blue.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 1;
  std::vector<std::uint8_t> pixels;
};

}  // namespace vaecuda
