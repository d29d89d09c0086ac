// The built-in data set: its bytes, its factors, and that every factor shows.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "host/data/shapes.hpp"
#include "tests/support/catch.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr ImageShape kGrey{32, 32, 1};
constexpr ImageShape kColour{32, 32, 3};

using Pixels = std::vector<std::uint8_t>;

Pixels draw(const ShapeFactors& factors, const ImageShape& image = kGrey) {
  Pixels pixels(static_cast<std::size_t>(image.size()), 7);  // 7: the drawing must not rely on what it finds
  ShapeRasterizer(image).draw(factors, pixels);
  return pixels;
}

struct Moments {
  double area = 0.0;  // in pixels
  double x = 0.0;     // centroid
  double y = 0.0;
};

Moments measure(const Pixels& pixels, const ImageShape& image = kGrey) {
  Moments moments;
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      const double mass = pixels[static_cast<std::size_t>(y * image.width + x)] / 255.0;
      moments.area += mass;
      moments.x += mass * (static_cast<double>(x) + 0.5);
      moments.y += mass * (static_cast<double>(y) + 0.5);
    }
  }
  moments.x /= moments.area;
  moments.y /= moments.area;
  return moments;
}

std::uint64_t fnv1a(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

std::array<std::int32_t, kShapeFactorCount> as_array(const ShapeFactors& f) {
  return {f.shape, f.scale, f.rotation, f.x, f.y, f.colour};
}

}  // namespace

TEST_CASE("shapes: the default is 20,000 grey pictures of 32 x 32 with labels and factors") {
  const Dataset dataset = make_shapes("");
  CHECK(dataset.rows() == 20'000);
  CHECK(dataset.columns() == 1024);
  CHECK(dataset.type() == ElementType::u8);
  CHECK(dataset.image() == kGrey);
  CHECK(dataset.name() == "shapes:32x32x1,n=20000");
  CHECK(dataset.label_names() == std::vector<std::string>{"square", "ellipse", "heart"});
  CHECK(dataset.factor_names() == std::vector<std::string>{"shape", "scale", "rotation", "x", "y", "colour"});
  REQUIRE(dataset.labels().size() == 20'000);
  REQUIRE(dataset.factors().size() == 6 * 20'000);
  for (std::int64_t row : {0, 1, 777, 19'999}) {
    const auto expected = as_array(shape_factors(row, 1));
    const auto stored = dataset.factors().subspan(static_cast<std::size_t>(row) * 6, 6);
    CHECK(std::equal(stored.begin(), stored.end(), expected.begin()));
    CHECK(dataset.labels()[static_cast<std::size_t>(row)] == expected[0]);
    const auto pixels = dataset.u8().subspan(static_cast<std::size_t>(row) * 1024, 1024);
    CHECK(Pixels(pixels.begin(), pixels.end()) == draw(shape_factors(row, 1)));
  }
}

TEST_CASE("shapes: the same bytes on every machine and in every version") {
  CHECK(fnv1a(make_shapes(":n=500").u8()) == 0x2315e9b1a364cc4cU);
  CHECK(fnv1a(make_shapes(":48x40x3,n=300").u8()) == 0x8035d8f259f690a6U);
}

TEST_CASE("shapes: a row depends on its number, not on how many there are") {
  const Dataset few = make_shapes(":n=10");
  const Dataset many = make_shapes(":n=50");
  CHECK(std::equal(few.u8().begin(), few.u8().end(), many.u8().begin()));
  CHECK(std::equal(few.factors().begin(), few.factors().end(), many.factors().begin()));
}

TEST_CASE("shapes: as many rows as there are combinations hold each once, then the order repeats") {
  for (const std::int64_t channels : {1, 3}) {
    const auto counts = shape_factor_counts(channels);
    const std::int64_t combinations =
        std::accumulate(counts.begin(), counts.end(), std::int64_t{1}, std::multiplies<>());
    CHECK(combinations == (channels == 1 ? 294'912 : 8 * 294'912));
    std::vector<bool> seen(static_cast<std::size_t>(combinations));
    std::int64_t distinct = 0;
    bool in_range = true;
    for (std::int64_t row = 0; row < combinations; ++row) {
      const auto factors = as_array(shape_factors(row, channels));
      std::int64_t code = 0;
      for (std::size_t i = 0; i < factors.size(); ++i) {
        in_range = in_range && factors[i] >= 0 && factors[i] < counts[i];
        code = code * counts[i] + factors[i];
      }
      if (!in_range) break;
      distinct += seen[static_cast<std::size_t>(code)] ? 0 : 1;
      seen[static_cast<std::size_t>(code)] = true;
    }
    CHECK(in_range);
    CHECK(distinct == combinations);
    CHECK(shape_factors(combinations + 5, channels) == shape_factors(5, channels));
  }
}

TEST_CASE(
    "shapes: the first rows already cover every pair of factors evenly, and neighbours are independent") {
  constexpr std::int64_t kRows = 20'000;
  // Pearson's statistic of a contingency table; for even random rows it is about its degrees of freedom.
  const auto excess_sigmas = [](const std::vector<std::int64_t>& table) {
    const double expected = static_cast<double>(kRows) / static_cast<double>(table.size());
    double statistic = 0.0;
    for (const std::int64_t n : table) statistic += std::pow(static_cast<double>(n) - expected, 2) / expected;
    const double freedom = static_cast<double>(table.size()) - 1.0;
    return (statistic - freedom) / std::sqrt(2.0 * freedom);
  };
  const auto counts = shape_factor_counts(3);
  for (std::size_t a = 0; a < counts.size(); ++a) {
    for (std::size_t b = 0; b < counts.size(); ++b) {
      std::vector<std::int64_t> within(static_cast<std::size_t>(counts[a] * counts[b]));
      std::vector<std::int64_t> neighbours(within.size());
      for (std::int64_t row = 0; row < kRows; ++row) {
        const auto here = as_array(shape_factors(row, 3));
        const auto next = as_array(shape_factors(row + 1, 3));
        ++within[static_cast<std::size_t>(here[a] * counts[b] + here[b])];
        ++neighbours[static_cast<std::size_t>(here[a] * counts[b] + next[b])];
      }
      CAPTURE(a, b);
      if (a < b) CHECK(excess_sigmas(within) < 4.0);
      CHECK(excess_sigmas(neighbours) < 4.0);
    }
  }
}

TEST_CASE("shapes: x and y move the centroid in equal steps and change nothing else") {
  for (std::int32_t shape = 0; shape < 3; ++shape) {
    for (const std::int32_t scale : {0, 5}) {
      CAPTURE(shape, scale);
      const Moments first = measure(draw({shape, scale, 3, 0, 0, 0}));
      for (std::int32_t step = 1; step < 32; ++step) {
        const Moments right = measure(draw({shape, scale, 3, step, 0, 0}));
        const Moments down = measure(draw({shape, scale, 3, 0, step, 0}));
        constexpr double kStep =
            12.0 / 31.0;  // the picture less twice the largest figure's reach, in 31 steps
        CHECK(right.x - first.x == Approx(step * kStep).margin(0.04));
        CHECK(right.y == Approx(first.y).margin(0.04));
        CHECK(down.y - first.y == Approx(step * kStep).margin(0.04));
        CHECK(down.x == Approx(first.x).margin(0.04));
        // A figure that left the picture would lose area.
        CHECK(right.area == Approx(first.area).epsilon(0.02));
        CHECK(down.area == Approx(first.area).epsilon(0.02));
      }
    }
  }
}

TEST_CASE("shapes: area grows with scale, is equal for all shapes, and turns leave it alone") {
  for (std::int32_t scale = 0; scale < 6; ++scale) {
    const double side = 12.5 * (5 + scale) / 10.0;
    for (std::int32_t shape = 0; shape < 3; ++shape) {
      for (std::int32_t rotation = 0; rotation < 16; ++rotation) {
        CAPTURE(shape, scale, rotation);
        const Moments moments = measure(draw({shape, scale, rotation, 16, 16, 0}));
        CHECK(moments.area == Approx(side * side).epsilon(0.03));
        CHECK(moments.x == Approx(10.0 + 12.0 * 16 / 31).margin(0.08));
        CHECK(moments.y == Approx(10.0 + 12.0 * 16 / 31).margin(0.08));
      }
    }
  }
}

TEST_CASE("shapes: pictures that differ in one factor differ") {
  const auto counts = shape_factor_counts(1);
  for (const ImageShape& image : {ImageShape{16, 16, 1}, kGrey, ImageShape{20, 64, 1}}) {
    for (std::int32_t shape = 0; shape < 3; ++shape) {
      for (std::int32_t scale = 0; scale < 6; ++scale) {
        std::set<Pixels> turned;
        std::set<Pixels> moved_x;
        std::set<Pixels> moved_y;
        for (std::int32_t i = 0; i < 16; ++i) turned.insert(draw({shape, scale, i, 9, 20, 0}, image));
        for (std::int32_t i = 0; i < 32; ++i) moved_x.insert(draw({shape, scale, 5, i, 20, 0}, image));
        for (std::int32_t i = 0; i < 32; ++i) moved_y.insert(draw({shape, scale, 5, 9, i, 0}, image));
        CAPTURE(image.height, image.width, shape, scale);
        CHECK(turned.size() == static_cast<std::size_t>(counts[2]));
        CHECK(moved_x.size() == static_cast<std::size_t>(counts[3]));
        CHECK(moved_y.size() == static_cast<std::size_t>(counts[4]));
      }
    }
  }
}

TEST_CASE("shapes: an upright heart has its tip below, its notch above, and mirror symmetry") {
  const Pixels heart = draw({2, 5, 0, 16, 16, 0}, {64, 64, 1});
  const Moments moments = measure(heart, {64, 64, 1});
  const auto column = static_cast<std::int64_t>(moments.x);
  const auto covered = [&](std::int64_t x, std::int64_t y) {
    return heart[static_cast<std::size_t>(y * 64 + x)] > 127;
  };
  std::int64_t top_middle = 0;
  while (!covered(column, top_middle)) ++top_middle;
  std::int64_t top_lobe = 0;
  while (!covered(column - 8, top_lobe)) ++top_lobe;
  CHECK(top_lobe < top_middle);
  std::int64_t lowest = 63;
  const auto row_is_empty = [&](std::int64_t y) {
    for (std::int64_t x = 0; x < 64; ++x) {
      if (covered(x, y)) return false;
    }
    return true;
  };
  while (row_is_empty(lowest)) --lowest;
  CHECK(covered(column, lowest));
  CHECK(static_cast<double>(lowest) - moments.y > moments.y - static_cast<double>(top_lobe));
}

TEST_CASE("shapes: colour changes the hue alone") {
  std::set<std::array<std::uint8_t, 3>> colours;
  for (std::int32_t colour = 0; colour < shape_factor_counts(3)[5]; ++colour) {
    const Pixels pixels = draw({0, 5, 2, 16, 16, colour}, kColour);
    const Pixels grey = draw({0, 5, 2, 16, 16, 0}, kGrey);
    const std::size_t middle = std::size_t{16} * 32 + 16;
    const std::array<std::uint8_t, 3> full = {pixels[3 * middle], pixels[3 * middle + 1],
                                              pixels[3 * middle + 2]};
    colours.insert(full);
    bool same_silhouette = true;
    for (std::size_t i = 0; i < grey.size(); ++i) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const double expected = grey[i] / 255.0 * full[channel];
        same_silhouette = same_silhouette && std::abs(pixels[3 * i + channel] - expected) <= 1.01;
      }
    }
    CHECK(same_silhouette);
    CHECK(*std::max_element(full.begin(), full.end()) >= 200);
  }
  CHECK(colours.size() == 8);
}

TEST_CASE("shapes: the spec's parts come in any order, joined by ':' or ','") {
  struct Expected {
    const char* spec;
    std::int64_t rows;
    ImageShape image;
  };
  for (const Expected& expected :
       {Expected{":32x32x3", 20'000, {32, 32, 3}}, Expected{":n=7", 7, {32, 32, 1}},
        Expected{":64x48,n=5", 5, {64, 48, 1}}, Expected{":n=5:16x512x1", 5, {16, 512, 1}},
        Expected{":16x16x3:n=1", 1, {16, 16, 3}}}) {
    CAPTURE(expected.spec);
    const Dataset dataset = make_shapes(expected.spec);
    CHECK(dataset.rows() == expected.rows);
    CHECK(dataset.image() == expected.image);
    CHECK(dataset.columns() == expected.image.size());
  }
}

TEST_CASE("shapes: any other spec is refused with what is allowed") {
  for (const char* spec : {":",
                           ":n=",
                           ":n=0",
                           ":n=-5",
                           ":n=+5",
                           ":n=010",
                           ":n=5x",
                           ":n= 5",
                           ":n=1e3",
                           ":n=100000001",
                           ":n=99999999999999999999",
                           ":n=5,",
                           ":,n=5",
                           ":n=5,n=6",
                           ":32x32,32x32",
                           ":32",
                           ":32x",
                           ":x32",
                           ":32x32x",
                           ":32x32x2",
                           ":32x32x4",
                           ":32x32x0",
                           ":32x32x3x1",
                           ":15x32",
                           ":32x513",
                           ":032x32",
                           ":-32x32",
                           ":32X32",
                           ":colour",
                           ":N=5",
                           "n=5",
                           ",n=5",
                           "32x32",
                           ":32x32;n=5"}) {
    CAPTURE(spec);
    try {
      static_cast<void>(make_shapes(spec));
      FAIL("accepted");
    } catch (const ConfigError& error) {
      const std::string message = error.what();
      CHECK(message.find("'shapes" + std::string(spec) + "'") != std::string::npos);
      CHECK(message.find("shapes:HxWxC,n=ROWS") != std::string::npos);
      CHECK(message.find("from 16 to 512") != std::string::npos);
    }
  }
}

TEST_CASE("shapes: more rows than the memory holds are refused before they are made") {
  // 79 TB.
  CHECK_THROWS_AS(make_shapes(":512x512x3,n=100000000"), OutOfMemoryError);
}

}  // namespace vaecuda
