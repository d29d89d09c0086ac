// PNG encoding, read back with libpng.
#include <png.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "host/report/png.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

Image decode(const std::vector<std::uint8_t>& bytes) {
  png_image control = {};
  control.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&control, bytes.data(), bytes.size()) != 0);
  const bool colour = (control.format & PNG_FORMAT_FLAG_COLOR) != 0;
  CHECK((control.format & (PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_LINEAR)) == 0);
  control.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Image image{control.height, control.width, colour ? 3 : 1, {}};
  image.pixels.resize(PNG_IMAGE_SIZE(control));
  REQUIRE(png_image_finish_read(&control, nullptr, image.pixels.data(), 0, nullptr) != 0);
  return image;
}

// Every byte value in every channel, and neighbours that differ much, so that a shifted row or swapped
// channel shows.
Image make_test_picture(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Image image{height, width, channels, {}};
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < height * width * channels; ++i) {
    state = state * 1664525U + 1013904223U;
    image.pixels.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return image;
}

}  // namespace

TEST_CASE("png: what is read back is what was written") {
  for (const std::int64_t channels : {1, 3}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {1, 300}, {300, 1}, {7, 5}, {64, 64}, {131, 257}}) {
      CAPTURE(channels, height, width);
      const Image image = make_test_picture(height, width, channels);
      const Image back = decode(encode_png(image));
      CHECK(back.height == image.height);
      CHECK(back.width == image.width);
      CHECK(back.channels == image.channels);
      CHECK(back.pixels == image.pixels);
    }
  }
}

TEST_CASE("png: the same picture gives the same bytes") {
  const Image image = make_test_picture(40, 30, 3);
  CHECK(encode_png(image) == encode_png(image));
}

TEST_CASE("png: write_png makes the file") {
  const test::TempDir folder;
  const Image image = make_test_picture(12, 34, 1);
  write_png(folder.path() / "picture.png", image);
  std::ifstream file(folder.path() / "picture.png", std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  CHECK(decode(bytes).pixels == image.pixels);
}

TEST_CASE("png: pictures that no PNG file can hold are refused") {
  const auto bytes = [](std::size_t count) { return std::vector<std::uint8_t>(count); };
  CHECK_THROWS_AS(encode_png(Image{}), ConfigError);
  CHECK_THROWS_AS(encode_png(Image{0, 4, 1, {}}), ConfigError);
  CHECK_THROWS_AS(encode_png(Image{-1, -4, 1, bytes(4)}), ConfigError);
  CHECK_THROWS_AS(encode_png(Image{2, 2, 2, bytes(8)}), ConfigError);
  CHECK_THROWS_AS(encode_png(Image{2, 2, 4, bytes(16)}), ConfigError);
  CHECK_THROWS_AS(encode_png(Image{2, 2, 1, bytes(3)}), ConfigError);
  CHECK_THROWS_AS(encode_png(Image{2, 2, 1, bytes(5)}), ConfigError);
  CHECK_THROWS_AS(encode_png(Image{1, 65'536, 1, bytes(65'536)}), ConfigError);
}

}  // namespace vaecuda
