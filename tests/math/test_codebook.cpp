// The formulas of vector quantization at double precision.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/math/codebook.h"
#include "support/catch.hpp"

using namespace vaecuda;

TEST_CASE("the commitment's gradient is the slope of its cost", "[codebook]") {
  constexpr double kCommitment = 0.25;
  constexpr double kStep = 1e-6;
  for (const double z : {-1.5, -0.1, 0.0, 0.7, 3.0}) {
    for (const double code : {-2.0, 0.0, 0.65}) {
      const auto cost = [&](double at) { return kCommitment * math::squared_difference(at, code); };
      const double slope = (cost(z + kStep) - cost(z - kStep)) / (2.0 * kStep);
      CHECK(math::quantize_backward(z, code, 0.0, 2.0 * kCommitment) == Approx(slope).margin(1e-8));
      // What comes from the decoder goes through unchanged.
      CHECK(math::quantize_backward(z, code, 0.3, 2.0 * kCommitment) == Approx(0.3 + slope).margin(1e-8));
      const auto codebook_cost = [&](double at) { return 0.5 * math::squared_difference(z, at); };
      const double code_slope = (codebook_cost(code + kStep) - codebook_cost(code - kStep)) / (2.0 * kStep);
      CHECK(math::code_gradient(z, code) == Approx(code_slope).margin(1e-8));
    }
  }
}

TEST_CASE("moving averages forget at the rate of their decay", "[codebook]") {
  const math::CodebookAverages<double> rule{0.9, 1.0 - 0.9, 2.0, 0.0};
  // Of a constant: 1 − 0.9^t of the way after t steps.
  double average = 2.0;
  for (int t = 0; t < 30; ++t) average = math::moving_average(rule, average, 5.0);
  CHECK(average == Approx(5.0 + (2.0 - 5.0) * std::pow(0.9, 30)));
}

TEST_CASE("smoothed counts keep their sum and never vanish", "[codebook]") {
  const std::vector<double> counts = {0.0, 1e-9, 0.5, 12.0, 100.0};
  const double codes = static_cast<double>(counts.size());
  double total = 0.0;
  for (const double count : counts) total += count;
  double sum = 0.0;
  for (const double count : counts) {
    const double smoothed = math::smoothed_count(count, total, codes);
    CHECK(smoothed > 0.0);
    CHECK(smoothed == Approx(count).epsilon(1e-4).margin(1.1e-5));
    sum += smoothed;
  }
  CHECK(sum == Approx(total).epsilon(1e-14));
}

TEST_CASE("perplexity counts the codes in use", "[codebook]") {
  const auto perplexity = [](const std::vector<double>& counts) {
    double sum = 0.0;
    double batch = 0.0;
    for (const double n : counts) {
      sum += math::count_times_log(n);
      batch += n;
    }
    return math::perplexity_of(sum, batch);
  };
  CHECK(perplexity({7.0, 0.0, 0.0}) == Approx(1.0));
  CHECK(perplexity({3.0, 3.0, 3.0, 3.0}) == Approx(4.0));
  CHECK(perplexity({5.0, 5.0, 0.0}) == Approx(2.0));
  // By the definition, e^(−Σ p log p), of 1, 2, 5 out of 8.
  const double entropy = -(0.125 * std::log(0.125) + 0.25 * std::log(0.25) + 0.625 * std::log(0.625));
  CHECK(perplexity({1.0, 2.0, 5.0}) == Approx(std::exp(entropy)));
  CHECK(math::count_times_log(0.0) == 0.0);
}

TEST_CASE("restarts draw rows alike, by seed, position and code", "[codebook]") {
  constexpr std::int64_t kBatch = 10;
  constexpr std::int64_t kDraws = 20000;
  std::vector<int> hits(kBatch, 0);
  for (std::int64_t i = 0; i < kDraws; ++i) {
    const std::int64_t row = math::restart_row(7, kBatch * (i / 100), i % 100, kBatch);
    REQUIRE(row >= 0);
    REQUIRE(row < kBatch);
    REQUIRE(row == math::restart_row(7, kBatch * (i / 100), i % 100, kBatch));
    ++hits[static_cast<std::size_t>(row)];
  }
  // 2000 expected with a deviation of 42; five of them.
  for (const int count : hits) CHECK(std::abs(count - 2000) < 212);
  const auto differs = [](std::uint64_t seed, std::int64_t position, std::int64_t first_code) {
    int equal = 0;
    for (std::int64_t k = 0; k < 64; ++k) {
      equal +=
          math::restart_row(1, 0, k, 1 << 20) == math::restart_row(seed, position, first_code + k, 1 << 20);
    }
    return equal < 3;
  };
  CHECK(differs(2, 0, 0));
  CHECK(differs(1, 128, 0));
  CHECK(differs(1, 0, 64));
  CHECK_FALSE(differs(1, 0, 0));
}

TEST_CASE("an index stays inside whatever it is made of", "[codebook]") {
  for (const std::int64_t n : {1, 2, 31, 513, 1 << 24}) {
    CHECK(math::index_from_bits(0U, n) == 0);
    CHECK(math::index_from_bits(0xFFFFFFFFU, n) == n - 1);
    CHECK(math::code_index(static_cast<float>(n - 1), n) == n - 1);
    for (const float beyond :
         {-1.0f, -0.0f, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      CHECK(math::code_index(beyond, n) == 0);
    }
    for (const float beyond : {static_cast<float>(n), 1e30f, std::numeric_limits<float>::infinity()}) {
      CHECK(math::code_index(beyond, n) == n - 1);
    }
  }
  CHECK(math::code_index(2.0f, 5) == 2);
}
