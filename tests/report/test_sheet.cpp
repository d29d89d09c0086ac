// Contact sheets and line plots: where every pixel goes.
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "host/report/image_sheet.hpp"
#include "host/report/line_plot.hpp"
#include "tests/support/catch.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::int64_t kGutter = 3;

int at(const Image& image, std::int64_t y, std::int64_t x, std::int64_t channel = 0) {
  REQUIRE(y < image.height);
  REQUIRE(x < image.width);
  return image.pixels.at(static_cast<std::size_t>((y * image.width + x) * image.channels + channel));
}

}  // namespace

TEST_CASE("sheet: cells fill from left to right, then down, with a gutter round each") {
  // Five pictures of 2 x 3, picture i all of brightness i/5; the last cell of the second line stays empty.
  std::vector<float> values;
  for (int i = 0; i < 5; ++i) values.insert(values.end(), 6, static_cast<float>(i) / 5.0F);
  const Image sheet = image_sheet(values, 6, ImageShape{2, 3, 1}, {3, 2, {}});
  REQUIRE(sheet.channels == 1);
  REQUIRE(sheet.height == kGutter + 2 * (4 + kGutter));
  REQUIRE(sheet.width == kGutter + 3 * (6 + kGutter));
  REQUIRE(sheet.pixels.size() == static_cast<std::size_t>(sheet.height * sheet.width));
  const int gutter = at(sheet, 0, 0);
  for (std::int64_t y = 0; y < sheet.height; ++y) {
    for (std::int64_t x = 0; x < sheet.width; ++x) {
      const std::int64_t line = y / (4 + kGutter);
      const std::int64_t column = x / (6 + kGutter);
      const bool inside =
          y % (4 + kGutter) >= kGutter && x % (6 + kGutter) >= kGutter && line * 3 + column < 5;
      const int expected = inside ? static_cast<int>(51 * (line * 3 + column)) : gutter;
      if (at(sheet, y, x) != expected) FAIL_CHECK("pixel " << y << ", " << x << " is " << at(sheet, y, x));
    }
  }
}

TEST_CASE("sheet: a pixel becomes a square of scale x scale, channels stay together") {
  const std::vector<float> values = {1.0F, 0.0F, 0.2F, 0.0F, 0.4F, 1.0F};  // two pixels: red-ish, blue-ish
  const Image sheet = image_sheet(values, 6, ImageShape{1, 2, 3}, {0, 4, {}});
  REQUIRE(sheet.channels == 3);
  REQUIRE(sheet.height == 2 * kGutter + 4);
  REQUIRE(sheet.width == 2 * kGutter + 8);
  for (std::int64_t y = 0; y < 4; ++y) {
    for (std::int64_t x = 0; x < 8; ++x) {
      for (std::int64_t channel = 0; channel < 3; ++channel) {
        const float value = values[static_cast<std::size_t>((x / 4) * 3 + channel)];
        CHECK(at(sheet, kGutter + y, kGutter + x, channel) == std::lround(value * 255.0F));
      }
    }
  }
}

TEST_CASE("sheet: values are rounded, clamped to the range, and black where they are not finite") {
  const std::vector<float> values = {-3.0F, 0.0F, 0.5F, 1.0F, 9.0F, kNan, kInfinity, -kInfinity};
  const auto drawn = [&](const SheetOptions& options) {
    const Image sheet = image_sheet(values, 8, ImageShape{1, 8, 1}, options);
    std::vector<int> line;
    for (std::int64_t x = 0; x < 8; ++x) line.push_back(at(sheet, kGutter, kGutter + x));
    return line;
  };
  CHECK(drawn({0, 1, {}}) == std::vector<int>{0, 0, 128, 255, 255, 0, 0, 0});
  CHECK(drawn({0, 1, ValueRange{-1.0F, 1.0F}}) == std::vector<int>{0, 128, 191, 255, 255, 0, 0, 0});
  CHECK(drawn({0, 1, ValueRange{0.5F, 0.5F}}) == std::vector<int>{0, 0, 0, 255, 255, 0, 0, 0});
  constexpr float kMost = std::numeric_limits<float>::max();
  CHECK(drawn({0, 1, ValueRange{-kMost, kMost}}) == std::vector<int>{128, 128, 128, 128, 128, 0, 0, 0});
}

TEST_CASE("sheet: channels that no picture has are averaged") {
  const std::vector<float> values = {0.0F, 1.0F, 1.0F, 1.0F};
  const Image two = image_sheet(values, 4, ImageShape{1, 2, 2}, {0, 1, {}});
  CHECK(two.channels == 1);
  CHECK(at(two, kGutter, kGutter) == 128);
  CHECK(at(two, kGutter, kGutter + 1) == 255);
  CHECK(at(image_sheet(values, 4, ImageShape{1, 1, 4}, {0, 1, {}}), kGutter, kGutter) == 191);
}

TEST_CASE("sheet: a pair is the original above its reconstruction") {
  const std::vector<float> originals = {1.0F, 0.8F};
  const std::vector<float> reconstructions = {0.2F, 0.4F};
  const Image sheet = pair_sheet(originals, reconstructions, 1, ImageShape{1, 1, 1}, {2, 5, {}});
  REQUIRE(sheet.height == 2 * kGutter + 5 + 1 + 5);
  REQUIRE(sheet.width == kGutter + 2 * (5 + kGutter));
  const std::int64_t below = kGutter + 5 + 1;
  const std::int64_t second = kGutter + 5 + kGutter;
  CHECK(at(sheet, kGutter, kGutter) == 255);
  CHECK(at(sheet, kGutter, second) == 204);
  CHECK(at(sheet, below - 1, kGutter) == at(sheet, 0, 0));
  CHECK(at(sheet, below, kGutter) == 51);
  CHECK(at(sheet, below, second) == 102);
}

TEST_CASE("sheet: left to itself it is about square, and small pictures are made visible") {
  const std::vector<float> values(100 * 784);
  const Image sheet = image_sheet(values, 784, ImageShape{28, 28, 1});
  CHECK(sheet.height == kGutter + 10 * (56 + kGutter));
  CHECK(sheet.width == sheet.height);
  const Image pairs = pair_sheet(values, values, 784, ImageShape{28, 28, 1});
  const double aspect = static_cast<double>(pairs.width) / static_cast<double>(pairs.height);
  CHECK(aspect > 0.7);
  CHECK(aspect < 1.4);
  const Image large = image_sheet(std::vector<float>(64 * 64), 64 * 64, ImageShape{64, 64, 1});
  CHECK(large.height == 64 + 2 * kGutter);
}

TEST_CASE("sheet: rows that are no pictures are plotted, a pair on one axis") {
  const std::vector<float> original = {-1.0F, 1.0F};
  const std::vector<float> flat = {0.0F, 0.0F};
  const Image sheet = pair_sheet(original, flat, 2, std::nullopt);
  REQUIRE(sheet.height == 2 * kGutter + 2 * kPlotHeight + 1);
  REQUIRE(sheet.width == 2 * kGutter + kPlotWidth);
  const Image expected = line_plot(flat, -1.0F, 1.0F);
  for (std::int64_t y = 0; y < kPlotHeight; ++y) {
    for (std::int64_t x = 0; x < kPlotWidth; ++x) {
      if (at(sheet, kGutter + kPlotHeight + 1 + y, kGutter + x) != at(expected, y, x))
        FAIL_CHECK(y << ", " << x);
    }
  }
}

TEST_CASE("sheet: what cannot be laid out is refused") {
  const std::vector<float> values(12);
  const ImageShape shape{2, 3, 1};
  CHECK_THROWS_AS(image_sheet({}, 6, shape), ConfigError);
  CHECK_THROWS_AS(image_sheet(values, 0, std::nullopt), ConfigError);
  CHECK_THROWS_AS(image_sheet(values, 5, std::nullopt), ConfigError);
  CHECK_THROWS_AS(image_sheet(values, 4, shape), ConfigError);
  CHECK_THROWS_AS(image_sheet(values, 6, ImageShape{-2, -3, 1}), ConfigError);
  CHECK_THROWS_AS(image_sheet(values, 6, shape, {-1, 1, {}}), ConfigError);
  CHECK_THROWS_AS(image_sheet(values, 6, shape, {1, -1, {}}), ConfigError);
  CHECK_THROWS_AS(pair_sheet(values, std::vector<float>(6), 6, shape), ConfigError);
}

namespace {

constexpr int kInkBelow = 100;

// The rows of a plot's column that hold ink: first and last, or nothing.
std::optional<std::pair<std::int64_t, std::int64_t>> ink(const Image& plot, std::int64_t x) {
  std::optional<std::pair<std::int64_t, std::int64_t>> found;
  for (std::int64_t y = 0; y < plot.height; ++y) {
    if (at(plot, y, x) >= kInkBelow) continue;
    found = {found ? found->first : y, y};
  }
  return found;
}

}  // namespace

TEST_CASE("plot: a ramp rises from the lower left to the upper right without a break") {
  std::vector<float> ramp;
  for (int i = 0; i < 50; ++i) ramp.push_back(static_cast<float>(i));
  const Image plot = line_plot(ramp, 0.0F, 49.0F);
  REQUIRE(plot.height == kPlotHeight);
  REQUIRE(plot.width == kPlotWidth);
  CHECK(ink(plot, 3)->second == kPlotHeight - 4);
  CHECK(ink(plot, kPlotWidth - 4)->first == 3);
  CHECK_FALSE(ink(plot, 2));
  CHECK_FALSE(ink(plot, kPlotWidth - 3));
  for (std::int64_t x = 4; x < kPlotWidth - 3; ++x) {
    CAPTURE(x);
    REQUIRE(ink(plot, x));
    CHECK(ink(plot, x)->first <= ink(plot, x - 1)->first);
    CHECK(ink(plot, x)->second >= ink(plot, x - 1)->first - 1);
  }
}

TEST_CASE("plot: no spike is lost among many values, and non-finite ones leave a gap") {
  std::vector<float> values(5000, 0.0F);
  values[2500] = 1.0F;
  const Image spike = line_plot(values, 0.0F, 1.0F);
  bool reaches_top = false;
  for (std::int64_t x = 0; x < kPlotWidth; ++x)
    reaches_top = reaches_top || (ink(spike, x) && ink(spike, x)->first == 3);
  CHECK(reaches_top);

  const Image gap = line_plot(std::vector<float>{1.0F, 1.0F, kNan, kInfinity, 1.0F, 1.0F}, 0.0F, 2.0F);
  CHECK(ink(gap, 4));
  CHECK_FALSE(ink(gap, kPlotWidth / 2));
  CHECK(ink(gap, kPlotWidth - 5));
}

TEST_CASE("plot: one value, equal values, values out of range and none at all") {
  CHECK(ink(line_plot(std::vector<float>{5.0F}, 0.0F, 10.0F), kPlotWidth / 2));
  CHECK(ink(line_plot(std::vector<float>{5.0F, 5.0F}, 5.0F, 5.0F), 20)->first == kPlotHeight / 2);
  const Image outside = line_plot(std::vector<float>{-1e30F, 1e30F}, 0.0F, 1.0F);
  CHECK(ink(outside, 3)->second == kPlotHeight - 4);
  CHECK(ink(outside, kPlotWidth - 4)->first == 3);
  const Image empty = line_plot({}, 1.0F, 2.0F);
  for (std::int64_t x = 0; x < kPlotWidth; ++x) CHECK_FALSE(ink(empty, x));
}

}  // namespace vaecuda
