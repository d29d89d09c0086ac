// The keyed permutation of rows: a bijection for every size, another one for every key, without structure.
#include "kernels/math/permutation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"

namespace math = vaecuda::math;
using math::RandomPurpose;

namespace {

std::vector<std::uint64_t> image_of(std::uint64_t seed, std::uint64_t epoch, std::uint64_t n,
                                    RandomPurpose purpose = RandomPurpose::shuffle) {
  const math::PermutationKeys keys = math::permutation_keys(seed, purpose, epoch);
  std::vector<std::uint64_t> image(n);
  for (std::uint64_t i = 0; i < n; ++i) image[i] = math::permute(keys, i, n);
  return image;
}

bool is_bijection(const std::vector<std::uint64_t>& image) {
  std::vector<bool> seen(image.size(), false);
  for (const std::uint64_t v : image) {
    if (v >= image.size() || seen[v]) return false;
    seen[v] = true;
  }
  return true;
}

std::uint64_t fixed_points(const std::vector<std::uint64_t>& image) {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < image.size(); ++i) count += image[i] == i ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("the bijection check can fail", "[permutation]") {
  CHECK(is_bijection({2, 0, 1}));
  CHECK_FALSE(is_bijection({2, 0, 2}));
  CHECK_FALSE(is_bijection({3, 0, 1}));
}

TEST_CASE("permute is a bijection for every size", "[permutation]") {
  for (std::uint64_t n = 1; n <= 300; ++n) {
    for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
      INFO("n = " << n << ", epoch " << epoch);
      REQUIRE(is_bijection(image_of(1, epoch, n)));
    }
  }
  for (const std::uint64_t n : {1023U, 1024U, 1025U, 60000U, 65536U, 65537U, 131071U, 1000003U}) {
    INFO("n = " << n);
    CHECK(is_bijection(image_of(5, 3, n)));
  }
}

TEST_CASE("permute stays inside and is injective where n is huge", "[permutation]") {
  for (const std::uint64_t n : {(std::uint64_t{1} << 32) + 1, (std::uint64_t{1} << 40) - 3,
                                (std::uint64_t{1} << 62) - 1, std::uint64_t{1} << 62}) {
    const math::PermutationKeys keys = math::permutation_keys(9, RandomPurpose::shuffle, 0);
    std::vector<std::uint64_t> image;
    for (std::uint64_t i = 0; i < 2000; ++i) {
      image.push_back(math::permute(keys, i, n));
      image.push_back(math::permute(keys, n - 1 - i, n));
    }
    double mean = 0.0;
    for (const std::uint64_t v : image) {
      REQUIRE(v < n);
      mean += static_cast<double>(v) / static_cast<double>(n);
    }
    std::sort(image.begin(), image.end());
    CHECK(std::adjacent_find(image.begin(), image.end()) == image.end());
    // Uniform on [0, 1): deviation of the mean 0.289 / √4000, four of them.
    CHECK(std::fabs(mean / 4000.0 - 0.5) < 4.0 * 0.289 / std::sqrt(4000.0));
  }
}

TEST_CASE("permute has known answers", "[permutation]") {
  struct Answer {
    std::uint64_t n;
    std::uint64_t index;
    std::uint64_t image;
  };
  const std::vector<Answer> answers = {{1, 0, 0},
                                       {2, 0, 0},
                                       {3, 1, 1},
                                       {4, 1, 3},
                                       {5, 1, 2},
                                       {1000, 333, 195},
                                       {60000, 20000, 7136},
                                       {65536, 21845, 51122},
                                       {65537, 21845, 43695},
                                       {4294967297, 1431655765, 1913548478},
                                       {4611686018427387903, 1537228672809129301, 2218224201967523218},
                                       {4611686018427387904, 1537228672809129301, 2218224201967523218}};
  const math::PermutationKeys keys = math::permutation_keys(7, RandomPurpose::shuffle, 3);
  for (const Answer& a : answers) {
    INFO("n = " << a.n);
    CHECK(math::permute(keys, a.index, a.n) == a.image);
  }
}

TEST_CASE("the domain is the next power of two", "[permutation]") {
  CHECK(math::domain_bits(1) == 1);
  for (int bits = 1; bits <= 62; ++bits) {
    const std::uint64_t power = std::uint64_t{1} << bits;
    INFO("bits " << bits);
    CHECK(math::domain_bits(power) == bits);
    CHECK(math::domain_bits(power / 2 + 1) == bits);
    if (bits < 62) CHECK(math::domain_bits(power + 1) == bits + 1);
  }
}

TEST_CASE("every key gives another order", "[permutation]") {
  constexpr std::uint64_t kN = 1000;
  const auto base = image_of(1, 0, kN);
  const std::vector<std::vector<std::uint64_t>> others = {
      image_of(2, 0, kN), image_of(1, 1, kN), image_of(1 + (std::uint64_t{1} << 32), 0, kN),
      image_of(1, std::uint64_t{1} << 32, kN), image_of(1, 0, kN, RandomPurpose::split)};
  for (const auto& other : others) {
    std::uint64_t same = 0;
    for (std::uint64_t i = 0; i < kN; ++i) same += base[i] == other[i] ? 1 : 0;
    // Poisson of mean 1: more than 8 agreements have probability 1e-6.
    CHECK(same <= 8);
  }
  CHECK(base == image_of(1, 0, kN));
}

TEST_CASE("orders of few rows are evenly spread", "[permutation]") {
  // All 24 orders of four rows, over many epochs: chi-square with 23 degrees of freedom (deviation 6.8).
  constexpr int kEpochs = 24000;
  int counts[256] = {};
  for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const auto image = image_of(1, epoch, 4);
    ++counts[image[0] | (image[1] << 2) | (image[2] << 4) | (image[3] << 6)];
  }
  double chi2 = 0.0;
  int orders = 0;
  for (const int c : counts) {
    if (c == 0) continue;
    ++orders;
    chi2 += (c - 1000.0) * (c - 1000.0) / 1000.0;
  }
  CHECK(orders == 24);
  CHECK(chi2 < 23.0 + 4.0 * 6.8);
}

TEST_CASE("positions have no structure", "[permutation]") {
  // Where row i lands, in 10 bins, for 50 neighbouring i over many epochs; both near the start and the end.
  for (const std::uint64_t n : {100U, 129U, 6000U, 60000U}) {
    constexpr int kEpochs = 400;
    constexpr int kRows = 50;
    double chi2 = 0.0;
    double lag = 0.0;  // Σ of products of neighbours' centred places
    std::uint64_t fixed = 0;
    for (int i = 0; i < kRows; ++i) {
      int bins[10] = {};
      for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
        const math::PermutationKeys keys = math::permutation_keys(4, RandomPurpose::shuffle, epoch);
        const auto index = static_cast<std::uint64_t>(i) * (n / kRows);
        const std::uint64_t place = math::permute(keys, index, n);
        const std::uint64_t next = math::permute(keys, index + 1, n);
        ++bins[place * 10 / n];
        fixed += place == index ? 1 : 0;
        const auto centred = [n](std::uint64_t p) {
          return (static_cast<double>(p) + 0.5) / static_cast<double>(n) - 0.5;
        };
        lag += centred(place) * centred(next) * 12.0;
      }
      for (int b = 0; b < 10; ++b) {
        const auto cells = static_cast<double>((n * (static_cast<std::uint64_t>(b) + 1) + 9) / 10 -
                                               (n * static_cast<std::uint64_t>(b) + 9) / 10);
        const double expected = kEpochs * cells / static_cast<double>(n);
        chi2 += (bins[b] - expected) * (bins[b] - expected) / expected;
      }
    }
    INFO("n = " << n);
    // 50 × 9 degrees of freedom, deviation √900 = 30; the rows of one epoch are nearly independent.
    CHECK(chi2 < 450.0 + 4.0 * 30.0);
    CHECK(chi2 > 450.0 - 4.0 * 30.0);
    // Correlation of neighbours: −1/(n−1) in truth, deviation 1/√20000.
    CHECK(std::fabs(lag / (kRows * kEpochs) + 1.0 / (static_cast<double>(n) - 1.0)) <
          4.0 / std::sqrt(1.0 * kRows * kEpochs));
    // Fixed points: Poisson of mean 20000 / n.
    const double mean_fixed = 1.0 * kRows * kEpochs / static_cast<double>(n);
    CHECK(std::fabs(static_cast<double>(fixed) - mean_fixed) < 5.0 * std::sqrt(mean_fixed) + 3.0);
  }
}

TEST_CASE("a permutation has about one fixed point", "[permutation]") {
  std::uint64_t total = 0;
  for (std::uint64_t epoch = 0; epoch < 300; ++epoch) total += fixed_points(image_of(2, epoch, 257));
  // Poisson of mean 300, deviation 17.
  CHECK(total > 300 - 70);
  CHECK(total < 300 + 70);
}
