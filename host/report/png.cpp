#include "host/report/png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <cstddef>

#include "host/io/atomic_file.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kLargestSide = 65'535;

void check(const Image& image) {
  const auto fits = [](std::int64_t side) { return side >= 1 && side <= kLargestSide; };
  if (!fits(image.height) || !fits(image.width) || (image.channels != 1 && image.channels != 3)) {
    throw ConfigError(
        fmt::format("a PNG file cannot hold a picture of {} x {} pixels with {} channels; sides go "
                    "from 1 to {}, channels are 1 or 3",
                    image.height, image.width, image.channels, kLargestSide));
  }
  const std::int64_t expected = image.height * image.width * image.channels;
  if (static_cast<std::int64_t>(image.pixels.size()) != expected) {
    throw ConfigError(fmt::format("a picture of {} x {} pixels with {} channels has {} bytes, not {}",
                                  image.height, image.width, image.channels, expected, image.pixels.size()));
  }
}

}  // namespace

std::vector<std::uint8_t> encode_png(const Image& image) {
  check(image);
  // libpng's simplified interface: it reports errors by value, while the other one would jump over
  // destructors.
  png_image control = {};
  control.version = PNG_IMAGE_VERSION;
  control.height = static_cast<png_uint_32>(image.height);
  control.width = static_cast<png_uint_32>(image.width);
  control.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;

  std::vector<std::uint8_t> bytes(PNG_IMAGE_PNG_SIZE_MAX(control));
  png_alloc_size_t size = bytes.size();
  constexpr int kNoConversion = 0;
  constexpr png_int_32 kRowsTouch = 0;
  const int written = png_image_write_to_memory(&control, bytes.data(), &size, kNoConversion,
                                                image.pixels.data(), kRowsTouch, nullptr);
  if (written == 0) {
    throw RuntimeError(fmt::format("encoding a PNG picture of {} x {} pixels failed: {}", image.height,
                                   image.width, static_cast<const char*>(control.message)));
  }
  bytes.resize(size);
  return bytes;
}

void write_png(const Place& place, const Image& image) {
  write_png(place, EncodedImage(image));
}

void write_png(const Place& place, const EncodedImage& image) {
  write_file_atomically(place, image.png);
}

}  // namespace vaecuda
