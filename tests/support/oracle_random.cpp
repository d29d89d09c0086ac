// Random numbers.
#include "support/oracle.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

namespace vaecuda::oracle {
namespace {

constexpr double kPi = 3.14159265358979323846;

}  // namespace

Block philox4x32(Block counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter.word[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter.word[2];
    counter =
        Block{{static_cast<std::uint32_t>(b >> 32) ^ counter.word[1] ^ key0, static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter.word[3] ^ key1, static_cast<std::uint32_t>(a)}};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

std::uint32_t random_word(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence,
                          std::int64_t column) {
  const Block counter{{static_cast<std::uint32_t>(column / 4), purpose,
                       static_cast<std::uint32_t>(subsequence),
                       static_cast<std::uint32_t>(subsequence >> 32)}};
  // Columns are asked for one after the other, and a block has four of them.
  struct Drawn {
    std::uint64_t seed = 0;
    Block counter{};
    std::optional<Block> block;
  };
  static thread_local Drawn last;
  if (!last.block || last.seed != seed ||
      !std::equal(std::begin(counter.word), std::end(counter.word), std::begin(last.counter.word))) {
    last = {seed, counter,
            philox4x32(counter, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32))};
  }
  return last.block->word[column % 4];
}

double uniform(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence, std::int64_t column) {
  const auto rounded =
      static_cast<double>(static_cast<float>(random_word(seed, purpose, subsequence, column)));
  return static_cast<double>(static_cast<float>(rounded * 0x1p-32 + 0x1p-33));
}

double normal(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence, std::int64_t column) {
  const std::int64_t even = column - column % 2;
  const double radius = std::sqrt(-2.0 * std::log(uniform(seed, purpose, subsequence, even)));
  const double turn =
      (static_cast<double>(random_word(seed, purpose, subsequence, even + 1)) + 0.5) * 0x1p-32;
  return radius * (column == even ? std::sin(2.0 * kPi * turn) : std::cos(2.0 * kPi * turn));
}

Matrix normals(std::uint64_t seed, std::uint32_t purpose, std::uint64_t first, std::int64_t rows,
               std::int64_t cols) {
  Matrix m(rows, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c)
      m.at(r, c) = normal(seed, purpose, first + static_cast<std::uint64_t>(r), c);
  }
  return m;
}

}  // namespace vaecuda::oracle
