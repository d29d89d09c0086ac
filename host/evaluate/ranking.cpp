// How well a score separates two classes of rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "vaecuda/evaluate.hpp"

namespace vaecuda {
namespace {

/// Rows of one score, and those above them.
struct TieGroup {
  double positives = 0.0;
  double negatives = 0.0;
  double positives_above = 0.0;
  double negatives_above = 0.0;
};

struct Totals {
  double positives = 0.0;
  double negatives = 0.0;
};

Totals check(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  if (scores.size() != positive.size()) {
    throw ConfigError(fmt::format("{} scores, but {} marks", scores.size(), positive.size()));
  }
  const auto is_nan = [](float score) { return std::isnan(score); };
  if (const auto found = std::find_if(scores.begin(), scores.end(), is_nan); found != scores.end()) {
    throw ConfigError(fmt::format("the score of row {} is not a number: nothing can be ranked by it",
                                  found - scores.begin()));
  }
  const auto marked =
      std::count_if(positive.begin(), positive.end(), [](std::uint8_t mark) { return mark != 0; });
  const auto count = static_cast<std::ptrdiff_t>(positive.size());
  if (marked == 0 || marked == count) {
    throw ConfigError(
        fmt::format("{} of {} rows are positive: a ranking needs both kinds", marked, positive.size()));
  }
  return {static_cast<double>(marked), static_cast<double>(count - marked)};
}

/// Calls `use` for every distinct score, from the highest. Counts stay below 2⁵³, so sums of them are exact.
template <typename Use>
void for_each_group(std::span<const float> scores, std::span<const std::uint8_t> positive, Use&& use) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  TieGroup group;
  for (std::size_t i = 0; i < order.size();) {
    const float score = scores[order[i]];
    group.positives_above += group.positives;
    group.negatives_above += group.negatives;
    group.positives = 0.0;
    group.negatives = 0.0;
    for (; i < order.size() && scores[order[i]] == score; ++i) {
      (positive[order[i]] != 0 ? group.positives : group.negatives) += 1.0;
    }
    use(group);
  }
}

}  // namespace

double roc_auc(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  const Totals totals = check(scores, positive);
  double pairs = 0.0;
  for_each_group(scores, positive, [&](const TieGroup& group) {
    pairs += group.negatives * (group.positives_above + 0.5 * group.positives);
  });
  return pairs / (totals.positives * totals.negatives);
}

double average_precision(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  const Totals totals = check(scores, positive);
  double sum = 0.0;
  for_each_group(scores, positive, [&](const TieGroup& group) {
    const double found = group.positives_above + group.positives;
    const double taken = found + group.negatives_above + group.negatives;
    sum += group.positives * found / taken;
  });
  return sum / totals.positives;
}

}  // namespace vaecuda
