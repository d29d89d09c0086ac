#include "host/plan/rankings.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "kernels/math/ranking.h"

namespace vaecuda {
namespace {

/// Calls `use` for every distinct score, from the highest.
template <typename Use>
void for_each_group(std::span<const float> scores, std::span<const std::uint8_t> positive, Use&& use) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  math::TieGroup group{};
  for (std::size_t i = 0; i < order.size();) {
    const float score = scores[order[i]];
    group.positives_above += group.positives;
    group.negatives_above += group.negatives;
    group.positives = 0;
    group.negatives = 0;
    for (; i < order.size() && scores[order[i]] == score; ++i) {
      ++(positive[order[i]] != 0 ? group.positives : group.negatives);
    }
    use(group);
  }
}

}  // namespace

RankDiscounts::RankDiscounts(std::int64_t k) : ideal{0.0} {
  for (std::int64_t rank = 1; rank <= k; ++rank) {
    each.push_back(1.0 / std::log2(static_cast<double>(rank) + 1.0));
    ideal.push_back(ideal.back() + each.back());
  }
}

ClassSeparation HostRankings::separate(std::span<const float> scores,
                                       std::span<const std::uint8_t> positive) {
  std::int64_t twice_pairs = 0;
  double precision = 0.0;
  std::int64_t positives = 0;
  for_each_group(scores, positive, [&](const math::TieGroup& group) {
    twice_pairs += math::twice_ordered_pairs(group);
    if (group.positives > 0) precision += math::precision_term(group);
    positives += group.positives;
  });
  return ClassSeparation::of(twice_pairs, precision, positives,
                             static_cast<std::int64_t>(scores.size()) - positives);
}

float HostRankings::at_rank(std::span<const float> scores, std::int64_t rank) {
  std::vector<float> sorted(scores.begin(), scores.end());
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at == 0.0f ? 0.0f : *at;
}

std::vector<std::int32_t> HostRankings::top_k(const ItemScores& items, std::int64_t k) {
  const auto columns = static_cast<std::size_t>(items.columns);
  const auto most = static_cast<std::size_t>(k);
  std::vector<std::int32_t> best;
  std::vector<std::int32_t> candidates;
  for (std::size_t begin = 0; begin < items.scores.size(); begin += columns) {
    const auto scores = items.scores.subspan(begin, columns);
    candidates.clear();
    for (std::size_t column = 0; column < columns; ++column) {
      const bool is_out = !items.excluded.empty() && items.excluded[begin + column] != 0;
      if (!is_out) candidates.push_back(static_cast<std::int32_t>(column));
    }
    const auto count = static_cast<std::ptrdiff_t>(std::min(most, candidates.size()));
    const auto is_before = [scores](std::int32_t a, std::int32_t b) {
      const float of_a = scores[static_cast<std::size_t>(a)];
      const float of_b = scores[static_cast<std::size_t>(b)];
      return of_a != of_b ? of_a > of_b : a < b;
    };
    std::partial_sort(candidates.begin(), candidates.begin() + count, candidates.end(), is_before);
    best.insert(best.end(), candidates.begin(), candidates.begin() + count);
    best.resize((begin / columns + 1) * most, -1);
  }
  return best;
}

std::vector<double> HostRankings::ndcg(const RankedItems& items) {
  const auto columns = static_cast<std::size_t>(items.columns);
  const auto k = static_cast<std::size_t>(items.k);
  const RankDiscounts discounts(items.k);
  std::vector<double> result;
  for (std::size_t row = 0; row * columns < items.relevant.size(); ++row) {
    const auto relevant = items.relevant.subspan(row * columns, columns);
    const auto best = items.best.subspan(row * k, k);
    const std::size_t held =
        columns - static_cast<std::size_t>(std::count(relevant.begin(), relevant.end(), std::uint8_t{0}));
    double gain = 0.0;
    for (std::size_t rank = 0; rank < k; ++rank) {
      if (best[rank] >= 0 && relevant[static_cast<std::size_t>(best[rank])] != 0)
        gain += discounts.each[rank];
    }
    result.push_back(held == 0 ? std::numeric_limits<double>::quiet_NaN()
                               : gain / discounts.ideal[std::min(k, held)]);
  }
  return result;
}

}  // namespace vaecuda
