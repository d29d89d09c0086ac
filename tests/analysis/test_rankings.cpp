// Rankings by Thrust against those of the host, which tests/model/test_rankings.cpp holds against brute
// force: the same bits.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "analysis/bench.hpp"
#include "host/plan/rankings.hpp"
#include "support/catch.hpp"

namespace {

using namespace vaecuda;
using Floats = std::vector<float>;
using Marks = std::vector<std::uint8_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

/// Scores with about so many distinct values, both zeros, both infinities and a denormal among them.
Floats scores_of(std::size_t count, std::uint32_t distinct, std::mt19937& bits) {
  const std::array<float, 5> special = {0.0f, -0.0f, kInfinity, -kInfinity, 1e-42f};
  Floats scores;
  for (std::size_t i = 0; i < count; ++i) {
    const auto draw = static_cast<std::uint32_t>(bits());
    scores.push_back(draw % 7 == 0 ? special[draw / 7 % special.size()]
                                   : (static_cast<float>(draw % distinct) - 2.0f) * 0.37f);
  }
  return scores;
}

Marks marks_of(std::size_t count, std::uint32_t one_in, std::mt19937& bits) {
  Marks marks(count);
  for (std::uint8_t& mark : marks) mark = bits() % one_in == 0 ? 1 : 0;
  return marks;
}

}  // namespace

TEST_CASE("Thrust separates two classes to the last bit as the host does", "[analysis][rankings]") {
  const auto backend = test::thrust_backend();
  HostRankings host;
  std::mt19937 bits(11);
  for (const std::size_t count : {2U, 3U, 64U, 1000U, 20000U}) {
    for (const std::uint32_t distinct : {1U, 2U, 9U, 1000000U}) {
      for (const std::uint32_t one_in : {2U, 50U}) {
        const Floats scores = scores_of(count, distinct, bits);
        Marks positive = marks_of(count, one_in, bits);
        positive.front() = 1;
        positive.back() = 0;
        INFO(count << " scores, " << distinct << " distinct, one in " << one_in);
        const ClassSeparation here = host.separate(scores, positive);
        const ClassSeparation there = backend->rankings().separate(scores, positive);
        CHECK(bits_of(there.roc_auc) == bits_of(here.roc_auc));
        CHECK(bits_of(there.average_precision) == bits_of(here.average_precision));
      }
    }
  }
  CHECK(backend->allocated_bytes() == 0);
}

TEST_CASE("Thrust finds the score of every rank", "[analysis][rankings]") {
  const auto backend = test::thrust_backend();
  HostRankings host;
  std::mt19937 bits(12);
  for (const std::size_t count : {1U, 2U, 61U}) {
    for (const std::uint32_t distinct : {1U, 4U, 1000000U}) {
      const Floats scores = scores_of(count, distinct, bits);
      for (std::int64_t rank = 0; rank < static_cast<std::int64_t>(count); ++rank) {
        INFO(count << " scores, " << distinct << " distinct, rank " << rank);
        CHECK(std::bit_cast<std::uint32_t>(backend->rankings().at_rank(scores, rank)) ==
              std::bit_cast<std::uint32_t>(host.at_rank(scores, rank)));
      }
    }
  }
}

TEST_CASE("Thrust ranks the items of rows as the host does, ties by the lower item", "[analysis][rankings]") {
  const auto backend = test::thrust_backend();
  HostRankings host;
  std::mt19937 bits(13);
  for (const std::int64_t columns : {1, 2, 33, 500}) {
    for (const std::int64_t rows : {1, 7}) {
      for (const std::uint32_t distinct : {1U, 3U, 1000000U}) {
        const auto count = static_cast<std::size_t>(rows * columns);
        Floats scores = scores_of(count, distinct, bits);
        Marks excluded = marks_of(count, 3, bits);
        std::fill_n(excluded.begin(), columns, std::uint8_t{1});  // a row with nothing left
        for (std::size_t i = 0; i < count; ++i) {
          if (excluded[i] != 0 && bits() % 2 == 0) scores[i] = std::nanf("");
        }
        const Marks relevant = marks_of(count, 4, bits);
        for (const std::int64_t k : {std::int64_t{1}, (columns + 1) / 2, columns}) {
          INFO(rows << " rows of " << columns << " items, " << distinct << " distinct, the best " << k);
          const ItemScores items{scores, columns, excluded};
          const std::vector<std::int32_t> best = host.top_k(items, k);
          CHECK(backend->rankings().top_k(items, k) == best);
          CHECK(std::all_of(best.begin(), best.begin() + k, [](std::int32_t item) { return item == -1; }));
          const RankedItems ranked{best, k, relevant, columns};
          const std::vector<double> here = host.ndcg(ranked);
          const std::vector<double> there = backend->rankings().ndcg(ranked);
          REQUIRE(there.size() == here.size());
          for (std::size_t row = 0; row < here.size(); ++row) {
            CHECK(
                (std::isnan(here[row]) ? std::isnan(there[row]) : bits_of(there[row]) == bits_of(here[row])));
          }
        }
      }
    }
  }
  const Floats ties = {1.0f, 2.0f, 2.0f, 1.0f};
  CHECK(backend->rankings().top_k({ties, 4, {}}, 3) == std::vector<std::int32_t>{1, 2, 0});
  CHECK(backend->rankings().top_k({{}, 4, {}}, 3).empty());
  CHECK(backend->rankings().ndcg({{}, 3, {}, 4}).empty());
}

TEST_CASE("a ranking that finds too little memory says so and leaves none allocated", "[analysis][memory]") {
  const Floats scores = {1.0f, 3.0f, 2.0f, 2.0f};
  const Marks positive = {0, 1, 1, 0};
  HostRankings host;
  int refused = 0;
  for (std::int64_t at = 1;; ++at) {
    const auto backend = test::thrust_backend(at);
    try {
      const ClassSeparation found = backend->rankings().separate(scores, positive);
      CHECK(found.roc_auc == host.separate(scores, positive).roc_auc);
      CHECK(backend->allocated_bytes() == 0);
      break;
    } catch (const OutOfMemoryError&) {
      ++refused;
    }
    CHECK(backend->allocated_bytes() == 0);
  }
  // Scores, marks, terms, five arrays of the work, and what Thrust takes beside them.
  CHECK(refused >= 9);
}
