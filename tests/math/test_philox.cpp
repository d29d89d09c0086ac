// Philox4x32-10 against the known answers of Random123's kat_vectors, and the uniforms and normals made of
// it.
#include "kernels/math/philox.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "support/catch.hpp"

namespace math = vaecuda::math;
using math::RandomPurpose;

namespace {

void check_block(std::uint64_t seed, std::uint64_t subsequence, std::uint64_t block,
                 const std::uint32_t (&expected)[4]) {
  const math::Philox4 got = math::philox(seed, subsequence, block);
  for (int i = 0; i < 4; ++i) {
    INFO("word " << i);
    CHECK(got.v[i] == expected[i]);
  }
}

// `count` normals in the way the engine draws them: four columns a block, rows as subsequences.
std::vector<double> draw_normals(std::uint64_t seed, RandomPurpose purpose, std::int64_t rows,
                                 std::int64_t columns) {
  std::vector<double> all;
  all.reserve(static_cast<std::size_t>(rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; column += 2) {
      const math::Philox4 bits = math::philox(seed, static_cast<std::uint64_t>(row),
                                              random_block(purpose, static_cast<std::uint64_t>(column)));
      const int half = (column & 2) != 0 ? 2 : 0;
      const math::NormalPair pair = math::normal_pair(bits.v[half], bits.v[half + 1]);
      all.push_back(static_cast<double>(pair.first));
      all.push_back(static_cast<double>(pair.second));
    }
  }
  return all;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum / static_cast<double>(a.size());
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers of Random123", "[philox]") {
  // kat_vectors: philox4x32 10, counter c0..c3, key k0 k1. Here block = c0 | c1·2^32, subsequence = c2 |
  // c3·2^32, seed = k0 | k1·2^32.
  check_block(0, 0, 0, {0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U});
  check_block(~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0},
              {0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU});
  check_block(0x299f31d0a4093822U, 0x0370734413198a2eU, 0x85a308d3243f6a88U,
              {0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U});
}

TEST_CASE("a purpose and four columns share a block, nothing else does", "[philox]") {
  CHECK(math::random_block(RandomPurpose::latent, 0) == (std::uint64_t{4} << 32));
  CHECK(math::random_block(RandomPurpose::latent, 3) == math::random_block(RandomPurpose::latent, 0));
  CHECK(math::random_block(RandomPurpose::latent, 4) == (std::uint64_t{4} << 32) + 1);
  std::set<std::uint64_t> blocks;
  std::size_t count = 0;
  for (std::uint32_t purpose = 1; purpose <= 8; ++purpose) {
    for (std::uint64_t column : {std::uint64_t{0}, std::uint64_t{4}, (std::uint64_t{1} << 34) - 4}) {
      blocks.insert(math::random_block(static_cast<RandomPurpose>(purpose), column));
      ++count;
    }
  }
  CHECK(blocks.size() == count);
}

TEST_CASE("the purposes keep their numbers", "[philox]") {
  // Models already trained depend on them.
  CHECK(static_cast<int>(RandomPurpose::initialization) == 1);
  CHECK(static_cast<int>(RandomPurpose::shuffle) == 2);
  CHECK(static_cast<int>(RandomPurpose::binarize) == 3);
  CHECK(static_cast<int>(RandomPurpose::latent) == 4);
  CHECK(static_cast<int>(RandomPurpose::evaluate) == 5);
  CHECK(static_cast<int>(RandomPurpose::evaluate_binarize) == 6);
  CHECK(static_cast<int>(RandomPurpose::prior) == 7);
  CHECK(static_cast<int>(RandomPurpose::split) == 8);
}

TEST_CASE("uniforms lie in (0, 1] and are even", "[philox]") {
  CHECK(math::uniform_from_bits(0) == 0x1p-33f);
  CHECK(math::uniform_from_bits(0xffffffffU) == 1.0f);
  constexpr int kBins = 64;
  constexpr int kBlocks = 50000;
  int counts[kBins] = {};
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    const math::Philox4 bits = math::philox(7, i, math::random_block(RandomPurpose::binarize, 0));
    for (const std::uint32_t word : bits.v) {
      const float u = math::uniform_from_bits(word);
      REQUIRE((u > 0.0f && u <= 1.0f));
      ++counts[std::min(static_cast<int>(u * kBins), kBins - 1)];
    }
  }
  const double expected = 4.0 * kBlocks / kBins;
  double chi2 = 0.0;
  for (const int c : counts) chi2 += (c - expected) * (c - expected) / expected;
  // 63 degrees of freedom: mean 63, deviation 11.2; the draw is fixed, so this can never flicker.
  CHECK(chi2 < 63.0 + 4.0 * 11.2);
  CHECK(chi2 > 63.0 - 4.0 * 11.2);
}

TEST_CASE("normal pairs agree with Box and Muller in double precision", "[philox]") {
  constexpr long double kTurn = 6.283185307179586476925286766559L;
  double worst = 0.0;
  const auto look = [&](std::uint32_t radius_bits, std::uint32_t angle_bits) {
    const math::NormalPair got = math::normal_pair(radius_bits, angle_bits);
    // The uniform is taken as the engine rounds it; its rounding is part of the definition.
    const double u = static_cast<double>(math::uniform_from_bits(radius_bits));
    const double radius = std::sqrt(-2.0 * std::log(u));
    const auto angle =
        static_cast<double>(kTurn * (static_cast<long double>(angle_bits) + 0.5L) / 4294967296.0L);
    // Angle: 1.2e-7 of sincos times the radius. Radius: relative error below 3 ulp of log, root and product.
    const double tolerance = radius * (1.2e-7 + 3.0 * 0x1p-24) + 1e-12;
    const double error = std::fmax(std::fabs(static_cast<double>(got.first) - radius * std::sin(angle)),
                                   std::fabs(static_cast<double>(got.second) - radius * std::cos(angle)));
    worst = std::fmax(worst, std::isnan(error) ? 1e30 : error / tolerance);
  };
  for (std::uint64_t i = 0; i < 200000; ++i) {
    const math::Philox4 bits = math::philox(3, i, 0);
    look(bits.v[0], bits.v[1]);
    look(bits.v[2], bits.v[3]);
  }
  for (const std::uint32_t radius : {0U, 1U, 2U, 0x7fffffffU, 0xffffff00U, 0xffffffffU}) {
    for (std::uint32_t eighth = 0; eighth < 8; ++eighth) {
      look(radius, eighth << 29);
      look(radius, (eighth << 29) - 1U);
    }
  }
  CHECK(worst <= 1.0);
  // The largest normal that can occur: √(2·33·ln 2).
  CHECK(std::fabs(math::normal_pair(0, 0x3fffffffU).first) == Approx(std::sqrt(66.0 * std::log(2.0))));
}

TEST_CASE("normals are normal", "[philox]") {
  std::vector<double> x = draw_normals(11, RandomPurpose::latent, 25000, 8);
  const auto n = static_cast<double>(x.size());
  double m1 = 0.0;
  double m2 = 0.0;
  double m3 = 0.0;
  double m4 = 0.0;
  for (const double v : x) {
    m1 += v;
    m2 += v * v;
    m3 += v * v * v;
    m4 += v * v * v * v;
  }
  // Four deviations of each sample moment: variances 1, 2, 15 and 96 over n.
  CHECK(std::fabs(m1 / n) < 4.0 * std::sqrt(1.0 / n));
  CHECK(std::fabs(m2 / n - 1.0) < 4.0 * std::sqrt(2.0 / n));
  CHECK(std::fabs(m3 / n) < 4.0 * std::sqrt(15.0 / n));
  CHECK(std::fabs(m4 / n - 3.0) < 4.0 * std::sqrt(96.0 / n));
  std::sort(x.begin(), x.end());
  double distance = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double cdf = 0.5 * std::erfc(-x[i] * 0.70710678118654752440);
    distance = std::max({distance, cdf - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - cdf});
  }
  // Kolmogorov and Smirnov: exceeded with probability 2·e^(−2·1.95²) = 0.001.
  CHECK(distance < 1.95 / std::sqrt(n));
}

TEST_CASE("rows, columns, seeds and purposes are independent", "[philox]") {
  constexpr std::int64_t kRows = 25000;
  const std::vector<double> base = draw_normals(11, RandomPurpose::latent, kRows, 8);
  const double bound = 4.0 / std::sqrt(static_cast<double>(base.size()));  // four deviations
  for (const RandomPurpose other : {RandomPurpose::binarize, RandomPurpose::evaluate, RandomPurpose::prior}) {
    CHECK(std::fabs(correlation(base, draw_normals(11, other, kRows, 8))) < bound);
  }
  CHECK(std::fabs(correlation(base, draw_normals(12, RandomPurpose::latent, kRows, 8))) < bound);
  CHECK(std::fabs(correlation(
            base, draw_normals(11 + (std::uint64_t{1} << 32), RandomPurpose::latent, kRows, 8))) < bound);
  // Neighbouring columns (sine and cosine of one angle), neighbouring blocks and neighbouring rows.
  for (const std::size_t lag : {std::size_t{1}, std::size_t{4}, std::size_t{8}}) {
    const std::vector<double> late(base.begin() + static_cast<std::ptrdiff_t>(lag), base.end());
    const std::vector<double> early(base.begin(), base.end() - static_cast<std::ptrdiff_t>(lag));
    INFO("lag " << lag);
    CHECK(std::fabs(correlation(early, late)) < 4.0 / std::sqrt(static_cast<double>(late.size())));
  }
}
