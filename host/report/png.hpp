// Pictures as PNG files.
#pragma once

#include <cstdint>
#include <vector>

#include "host/io/folder.hpp"
#include "host/report/image.hpp"

namespace vaecuda {

/// The bytes of a PNG file (8 bits per channel, lossless). The same picture gives the same bytes with the
/// same libpng and zlib: no time or text is stored. \throws ConfigError for an empty picture, channels other
/// than 1 or 3, a side over 65,535 or pixels that do not fill the shape; RuntimeError with libpng's message
/// if it fails.
[[nodiscard]] std::vector<std::uint8_t> encode_png(const Image& image);

/// The same with its size, for callers that write it more than once.
struct EncodedImage {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::vector<std::uint8_t> png;

  explicit EncodedImage(const Image& image)
      : height(image.height), width(image.width), channels(image.channels), png(encode_png(image)) {}
};

/// Writes the picture to `place`; an existing file is replaced completely or not at all.
/// \throws as encode_png, and RuntimeError naming its path if it cannot be written.
void write_png(const Place& place, const Image& image);
void write_png(const Place& place, const EncodedImage& image);

}  // namespace vaecuda
