// Quantiles, the best items of rows and NDCG: by hand and against brute force, and what is refused. Rankings
// of two classes are in test_figures.cpp.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/small_vae.hpp"
#include "vaecuda/ranking.hpp"

namespace {

using namespace vaecuda;
using Floats = std::vector<float>;
using Marks = std::vector<std::uint8_t>;
using Items = std::vector<std::int32_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

/// All items of a row sorted by (score, item); −1 behind the last one that counts.
Items best_by_sorting(const Floats& scores, const Marks& excluded, std::int64_t columns, std::int64_t k) {
  Items best;
  for (std::size_t begin = 0; begin < scores.size(); begin += static_cast<std::size_t>(columns)) {
    std::vector<std::pair<float, std::int32_t>> row;
    for (std::int32_t item = 0; item < columns; ++item) {
      const std::size_t at = begin + static_cast<std::size_t>(item);
      if (excluded[at] == 0) row.emplace_back(-scores[at], item);
    }
    std::sort(row.begin(), row.end());
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(k); ++rank) {
      best.push_back(rank < row.size() ? row[rank].second : -1);
    }
  }
  return best;
}

}  // namespace

TEST_CASE("a quantile is a score that a share of all does not exceed", "[rankings]") {
  const Floats scores = {5.0f, 1.0f, 4.0f, 2.0f, 3.0f};
  CHECK(quantile(scores, 0.0) == 1.0f);
  CHECK(quantile(scores, 0.2) == 1.0f);
  CHECK(quantile(scores, 0.21) == 2.0f);
  CHECK(quantile(scores, 0.5) == 3.0f);
  CHECK(quantile(scores, 1.0) == 5.0f);
  Floats hundred(100);
  std::iota(hundred.begin(), hundred.end(), 1.0f);
  CHECK(quantile(hundred, 0.07) == 7.0f);  // though the product of the doubles is above 7
  CHECK(quantile(Floats{kInfinity, -kInfinity, 0.5f}, 1.0) == kInfinity);
  CHECK(!std::signbit(quantile(Floats{-0.0f}, 0.5)));
  CHECK_THROWS_AS(quantile(Floats{}, 0.5), ConfigError);
  CHECK_THROWS_AS(quantile(scores, -0.1), ConfigError);
  CHECK_THROWS_AS(quantile(scores, 1.1), ConfigError);
  CHECK_THROWS_AS(quantile(scores, std::nan("")), ConfigError);
  CHECK_THROWS_AS(quantile(Floats{1.0f, kNan}, 0.5), ConfigError);
}

TEST_CASE("the best items of a row, ties by the lower item", "[rankings]") {
  const Floats scores = {1.0f, 3.0f,  3.0f, 2.0f,  //
                         0.0f, -0.0f, kNan, -kInfinity};
  const Marks excluded = {0, 0, 0, 1,  //
                          0, 0, 1, 0};
  CHECK(top_k({scores, 4, excluded}, 4) == Items{1, 2, 0, -1, 0, 1, 3, -1});
  CHECK(top_k({Floats{1.0f, 3.0f, 2.0f}, 3, {}}, 2) == Items{1, 2});
  CHECK(top_k({Floats{}, 3, {}}, 2).empty());
  std::mt19937 bits(3);
  for (const std::uint32_t distinct : {1U, 3U, 1000000U}) {
    Floats many;
    Marks out;
    for (int i = 0; i < 6 * 40; ++i) {
      many.push_back(static_cast<float>(bits() % distinct) - 1.0f);
      out.push_back(bits() % 3 == 0 ? 1 : 0);
    }
    for (const std::int64_t k : {1, 20, 40}) {
      CHECK(top_k({many, 40, out}, k) == best_by_sorting(many, out, 40, k));
    }
  }
  CHECK_THROWS_AS(top_k({scores, 4, {}}, 2), ConfigError);  // the NaN counts
  CHECK_THROWS_AS(top_k({scores, 4, excluded}, 0), ConfigError);
  CHECK_THROWS_AS(top_k({scores, 4, excluded}, 5), ConfigError);
  CHECK_THROWS_AS(top_k({scores, 3, excluded}, 1), ConfigError);
  CHECK_THROWS_AS(top_k({scores, 0, excluded}, 1), ConfigError);
  CHECK_THROWS_AS(top_k({scores, 4, Marks{1}}, 1), ConfigError);
}

TEST_CASE("NDCG by hand", "[rankings]") {
  const double second = 1.0 / std::log2(3.0);
  const double third = 0.5;
  // All in front; the third alone; more held out than ranked; none found; nothing held out; a row cut short.
  const Items best = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 3, -1, -1};
  const Marks relevant = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 1,  //
                          0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0};
  const std::vector<double> found = ndcg({best, 3, relevant, 5});
  REQUIRE(found.size() == 6);
  CHECK(found[0] == 1.0);
  CHECK(found[1] == Approx(third));
  CHECK(found[2] == Approx((1.0 + third) / (1.0 + second + third)));
  CHECK(found[3] == 0.0);
  CHECK(std::isnan(found[4]));
  CHECK(found[5] == Approx(1.0 / (1.0 + second)));
  CHECK(ndcg({Items{}, 3, Marks{}, 5}).empty());
  const Marks one = {1, 0, 0};
  CHECK_THROWS_AS(ndcg({Items{0, 1}, 1, one, 3}), ConfigError);
  CHECK_THROWS_AS(ndcg({Items{0}, 0, one, 3}), ConfigError);
  CHECK_THROWS_AS(ndcg({Items{0}, 1, one, 2}), ConfigError);
  CHECK_THROWS_AS(ndcg({Items{-2}, 1, one, 3}), ConfigError);
  test::check_error<ConfigError>([&] { (void)ndcg({Items{3}, 1, one, 3}); }, {"row 0", "item 3", "0 to 2"});
}

TEST_CASE("the device of a model ranks as the host does", "[rankings]") {
  const Vae vae = test::open_model(test::small_model());
  const Floats scores = {0.5f, 2.0f, 2.0f, -1.0f, kInfinity, 0.0f};
  const Marks excluded = {0, 1, 0, 0, 0, 0};
  const Marks relevant = {1, 0, 1, 0, 0, 1};
  CHECK(quantile(vae, scores, 0.5) == quantile(scores, 0.5));
  const Items best = top_k({scores, 3, excluded}, 2);
  CHECK(top_k(vae, {scores, 3, excluded}, 2) == best);
  CHECK(ndcg(vae, {best, 2, relevant, 3}) == ndcg({best, 2, relevant, 3}));
  CHECK_THROWS_AS(quantile(vae, Floats{}, 0.5), ConfigError);
}
