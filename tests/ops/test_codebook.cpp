// Vector quantization against the oracle: nearest codes, straight-through gradient, codes drawn and looked
// up.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/codebook_bench.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::codebook_executors;
using test::kCodebookSeed;
using test::Quantity;
using Case = test::CodebookCase;
using test::books_of;
using test::codes_of;
using test::describe;
using test::make_arena;

namespace {

// Tiles of 32 rows, 64 codes and 32 columns: below, at and beyond each; offsets that are no multiple of 4.
const std::vector<Case> kCases = {{1, 1, 1, 1},       {33, 3, 2, 3, 33}, {257, 2, 31, 4},    {33, 1, 64, 16},
                                  {5, 2, 513, 4, 35}, {33, 16, 64, 4},   {3, 2, 65, 33, 34}, {31, 1, 31, 70}};

struct Quantized {
  std::vector<float> z;
  std::vector<float> codes;
  std::vector<float> error;
};

Quantized quantize(const test::Executor& executor, const Case& c, const std::vector<float>& arena,
                   const std::vector<float>& latent) {
  test::OpBench bench(c.batch, 0, c.arena());
  bench.set_parameters(arena);
  VectorQuantize op;
  op.latent = bench.matrix("latent", c.columns(), latent);
  op.codebook = c.parameters();
  op.z = bench.matrix("z", c.columns());
  op.codes = bench.matrix("codes", c.groups);
  op.distances = bench.scratch("distances", c.batch, c.groups);
  op.error = bench.matrix("error", 1);
  bench.add(op);
  bench.run(executor);
  CHECK(test::compare_bits(bench.get(op.latent), latent) == "");
  CHECK(test::compare_bits(bench.parameters(), arena) == "");
  return {bench.get(op.z), bench.get(op.codes), bench.get(op.error)};
}

}  // namespace

TEST_CASE("VectorQuantize takes the nearest code of each codebook", "[codebook]") {
  for (const test::Executor& executor : codebook_executors()) {
    for (const Case& c : kCases) {
      describe(executor, c);
      const std::vector<float> arena = make_arena(c);
      const std::vector<float> latent = test::noise(c.batch * c.columns(), 52, 1.2);
      const Quantized got = quantize(executor, c, arena, latent);
      const oracle::Codebooks books = books_of(c, arena);
      const oracle::Matrix z = oracle::from_floats(latent, c.batch, c.columns());
      const std::vector<float> codes = codes_of(c, arena);
      oracle::Graded error(c.batch, 1);
      std::size_t others = 0;
      for (std::int64_t r = 0; r < c.batch; ++r) {
        for (std::int64_t g = 0; g < c.groups; ++g) {
          const std::int64_t best = oracle::nearest(books, z, r, g);
          const double least = oracle::distance(books, z, r, g, best);
          const float stored = got.codes[static_cast<std::size_t>(r * c.groups + g)];
          const auto k = static_cast<std::int64_t>(stored);
          REQUIRE(static_cast<float>(k) == stored);
          REQUIRE(k >= 0);
          REQUIRE(k < c.size);
          // Another code only where rounding cannot tell the two apart.
          others += k != best;
          REQUIRE(oracle::distance(books, z, r, g, k) <=
                  least * (1.0 + (8.0 + static_cast<double>(c.width)) * 0x1p-23));
          for (std::int64_t i = 0; i < c.width; ++i) {
            REQUIRE(got.z[static_cast<std::size_t>(r * c.columns() + g * c.width + i)] ==
                    codes[static_cast<std::size_t>((g * c.size + k) * c.width + i)]);
          }
          error.value.at(r, 0) += least;
          error.magnitude.at(r, 0) += least;
        }
      }
      CHECK(others == 0);
      CHECK(test::compare(got.error, error, Quantity::quantization_error, c.columns()) == "");
    }
  }
}

TEST_CASE("of equally near codes the lowest is taken", "[codebook]") {
  // Small whole numbers, so that distances are exact; every code is there several times, at places that fall
  // to different lanes and tiles.
  const Case c{40, 2, 200, 3};
  std::vector<float> arena(static_cast<std::size_t>(c.arena()), 0.0f);
  for (std::int64_t k = 0; k < c.groups * c.size; ++k) {
    const std::int64_t kind = (k % c.size * 7 + 5) % 9;  // 9 kinds of codes, spread over all places
    for (std::int64_t i = 0; i < c.width; ++i) {
      arena[static_cast<std::size_t>(c.offset + k * c.width + i)] = static_cast<float>((kind * (i + 1)) % 5);
    }
  }
  std::vector<float> latent;
  for (std::int64_t i = 0; i < c.batch * c.columns(); ++i) {
    latent.push_back(static_cast<float>(i * 13 % 9) * 0.5f);  // halves: often between two codes
  }
  const oracle::Codebooks books = books_of(c, arena);
  const oracle::Matrix z = oracle::from_floats(latent, c.batch, c.columns());
  std::vector<float> expected;
  std::size_t ties = 0;
  for (std::int64_t r = 0; r < c.batch; ++r) {
    for (std::int64_t g = 0; g < c.groups; ++g) {
      const std::int64_t best = oracle::nearest(books, z, r, g);
      expected.push_back(static_cast<float>(best));
      for (std::int64_t k = best + 1; k < c.size; ++k) {
        ties += oracle::distance(books, z, r, g, k) == oracle::distance(books, z, r, g, best);
      }
    }
  }
  REQUIRE(ties > 500);
  for (const test::Executor& executor : codebook_executors()) {
    INFO(executor.name);
    CHECK(test::compare_bits(quantize(executor, c, arena, latent).codes, expected) == "");
  }
}

TEST_CASE("a latent that is not finite has an error that is not", "[codebook]") {
  const Case c{3, 2, 70, 2};
  for (const test::Executor& executor : codebook_executors()) {
    for (const float poison :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 3e38f}) {
      INFO(executor.name << ", " << poison);
      std::vector<float> latent = test::noise(c.batch * c.columns(), 52);
      latent[static_cast<std::size_t>(c.columns() + 2)] = poison;  // row 1, codebook 1
      const Quantized got = quantize(executor, c, make_arena(c), latent);
      CHECK(std::isfinite(got.error[0]));
      CHECK_FALSE(std::isfinite(got.error[1]));
      CHECK(std::isfinite(got.error[2]));
      CHECK(got.codes[3] == 0.0f);
    }
  }
}

TEST_CASE("VectorQuantizeBackward adds the commitment to what goes through", "[codebook]") {
  for (const test::Executor& executor : codebook_executors()) {
    for (const Case& c : kCases) {
      describe(executor, c);
      constexpr float kCommitment = 0.5f / 7.0f;
      const std::vector<float> latent = test::noise(c.batch * c.columns(), 61);
      const std::vector<float> z = test::noise(c.batch * c.columns(), 62);
      const std::vector<float> dz = test::noise(c.batch * c.columns(), 63, 0.2);
      test::OpBench bench(c.batch);
      VectorQuantizeBackward op;
      op.latent = bench.matrix("latent", c.columns(), latent);
      op.z = bench.matrix("z", c.columns(), z);
      op.dz = bench.matrix("dz", c.columns(), dz);
      op.dlatent = bench.matrix("dlatent", c.columns());
      op.commitment = kCommitment;
      bench.add(op);
      bench.run(executor);
      oracle::Graded expected(c.batch, c.columns());
      for (std::size_t i = 0; i < latent.size(); ++i) {
        const double commitment = static_cast<double>(kCommitment);
        const auto [a, b, d] =
            std::array{static_cast<double>(latent[i]), static_cast<double>(z[i]), static_cast<double>(dz[i])};
        expected.value.values[i] = d + commitment * (a - b);
        expected.magnitude.values[i] = std::fabs(d) + commitment * (std::fabs(a) + std::fabs(b));
      }
      CHECK(test::compare(bench.get(op.dlatent), expected, Quantity::codebook_gradient) == "");
    }
  }
}

TEST_CASE("LookUpCodes copies codes, and SampleCodes draws them", "[codebook]") {
  for (const test::Executor& executor : codebook_executors()) {
    for (const Case& c : kCases) {
      describe(executor, c);
      constexpr std::int64_t kPosition = 70;
      const std::vector<float> arena = make_arena(c);
      test::OpBench bench(c.batch, kPosition, c.arena());
      bench.set_parameters(arena);
      SampleCodes sample;
      sample.codes = bench.matrix("codes", c.groups);
      sample.size = c.size;
      sample.seed = kCodebookSeed;
      LookUpCodes look_up;
      look_up.codes = sample.codes;
      look_up.codebook = c.parameters();
      look_up.z = bench.matrix("z", c.columns());
      bench.add(sample);
      bench.add(look_up);
      bench.run(executor);
      const std::vector<float> codes = bench.get(sample.codes);
      const std::vector<float> z = bench.get(look_up.z);
      const std::vector<float> book = codes_of(c, arena);
      for (std::int64_t r = 0; r < c.batch; ++r) {
        for (std::int64_t g = 0; g < c.groups; ++g) {
          const std::uint32_t word =
              oracle::random_word(kCodebookSeed, 7, static_cast<std::uint64_t>(kPosition + r), g);
          const double drawn = std::floor(static_cast<double>(word) * 0x1p-32 * static_cast<double>(c.size));
          REQUIRE(static_cast<double>(codes[static_cast<std::size_t>(r * c.groups + g)]) == drawn);
          const auto k = static_cast<std::int64_t>(drawn);
          for (std::int64_t i = 0; i < c.width; ++i) {
            REQUIRE(z[static_cast<std::size_t>(r * c.columns() + g * c.width + i)] ==
                    book[static_cast<std::size_t>((g * c.size + k) * c.width + i)]);
          }
        }
      }
    }
  }
}
