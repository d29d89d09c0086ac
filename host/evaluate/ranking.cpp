// What is asked of rankings, checked, and who answers: the host, or the device of a model.
#include "host/evaluate/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/inference/device_turn.hpp"

namespace vaecuda {
namespace {

void require_numbers(std::span<const float> scores) {
  const auto is_nan = [](float score) { return std::isnan(score); };
  if (const auto found = std::find_if(scores.begin(), scores.end(), is_nan); found != scores.end()) {
    throw ConfigError(fmt::format("the score of row {} is not a number: nothing can be ranked by it",
                                  found - scores.begin()));
  }
}

void check_classes(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  if (scores.size() != positive.size()) {
    throw ConfigError(fmt::format("{} scores, but {} marks", scores.size(), positive.size()));
  }
  require_numbers(scores);
  const auto marked =
      std::count_if(positive.begin(), positive.end(), [](std::uint8_t mark) { return mark != 0; });
  if (marked == 0 || marked == static_cast<std::ptrdiff_t>(positive.size())) {
    throw ConfigError(
        fmt::format("{} of {} rows are positive: a ranking needs both kinds", marked, positive.size()));
  }
}

/// The rank of a quantile, 0 being the smallest score.
std::int64_t rank_of(std::span<const float> scores, double share) {
  if (scores.empty()) throw ConfigError("a quantile of no scores: there is none");
  if (!(share >= 0.0 && share <= 1.0)) {
    throw ConfigError(fmt::format("the quantile {}; expected a share from 0 to 1", share));
  }
  require_numbers(scores);
  // 0.07 of 100 rows is 7 rows, although the product of the doubles is above 7.
  constexpr double kRounding = 1e-12;
  const auto count = static_cast<double>(scores.size()) * (1.0 - kRounding);
  return static_cast<std::int64_t>(std::max(1.0, std::ceil(share * count))) - 1;
}

/// `what`: as many as there are items for each of some rows.
void require_whole_rows(std::size_t count, std::int64_t columns, const char* what) {
  if (columns < 1) throw ConfigError(fmt::format("{} items to rank; expected at least 1", columns));
  if (count % static_cast<std::size_t>(columns) == 0) return;
  throw ConfigError(fmt::format("{} {} are no whole rows of {} items", count, what, columns));
}

void check_items(const ItemScores& items, std::int64_t k) {
  require_whole_rows(items.scores.size(), items.columns, "scores");
  if (k < 1 || k > items.columns) {
    throw ConfigError(
        fmt::format("the best {} of {} items; expected 1 to {}", k, items.columns, items.columns));
  }
  if (!items.excluded.empty() && items.excluded.size() != items.scores.size()) {
    throw ConfigError(
        fmt::format("{} scores, but {} marks of excluded items", items.scores.size(), items.excluded.size()));
  }
  const auto columns = static_cast<std::size_t>(items.columns);
  for (std::size_t i = 0; i < items.scores.size(); ++i) {
    const bool is_out = !items.excluded.empty() && items.excluded[i] != 0;
    if (is_out || !std::isnan(items.scores[i])) continue;
    throw ConfigError(fmt::format("row {}, item {}: the score is not a number: nothing can be ranked by it",
                                  i / columns, i % columns));
  }
}

void check_ranked(const RankedItems& items) {
  require_whole_rows(items.relevant.size(), items.columns, "marks of relevant items");
  const std::size_t rows = items.relevant.size() / static_cast<std::size_t>(items.columns);
  if (items.k < 1 || items.k > items.columns ||
      items.best.size() != rows * static_cast<std::size_t>(items.k)) {
    throw ConfigError(fmt::format("{} ranked items, {} a row; expected that for {} rows of {} items",
                                  items.best.size(), items.k, rows, items.columns));
  }
  const auto is_item = [&](std::int32_t item) { return item >= -1 && item < items.columns; };
  if (const auto bad = std::find_if_not(items.best.begin(), items.best.end(), is_item);
      bad != items.best.end()) {
    throw ConfigError(fmt::format("row {} ranks item {}; there are items 0 to {}",
                                  (bad - items.best.begin()) / items.k, *bad, items.columns - 1));
  }
}

/// Calls `use` with the rankings of the model's device; with the host's, whose results are the same, where
/// the device has too little memory left.
template <typename Use>
auto ranked_by(const Vae& vae, const Use& use) {
  try {
    const DeviceTurn turn(vae);
    return use(turn.rankings());
  } catch (const OutOfMemoryError&) {
    HostRankings here;
    return use(here);
  }
}

}  // namespace

double roc_auc(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  check_classes(scores, positive);
  return HostRankings().separate(scores, positive).roc_auc;
}

double average_precision(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  check_classes(scores, positive);
  return HostRankings().separate(scores, positive).average_precision;
}

ClassSeparation separate(const Vae& vae, std::span<const float> scores,
                         std::span<const std::uint8_t> positive) {
  check_classes(scores, positive);
  return ranked_by(vae, [&](Rankings& rankings) { return rankings.separate(scores, positive); });
}

float quantile(std::span<const float> scores, double share) {
  const std::int64_t rank = rank_of(scores, share);
  return HostRankings().at_rank(scores, rank);
}

float quantile(const Vae& vae, std::span<const float> scores, double share) {
  const std::int64_t rank = rank_of(scores, share);
  return ranked_by(vae, [&](Rankings& rankings) { return rankings.at_rank(scores, rank); });
}

std::vector<std::int32_t> top_k(const ItemScores& items, std::int64_t k) {
  check_items(items, k);
  return HostRankings().top_k(items, k);
}

std::vector<std::int32_t> top_k(const Vae& vae, const ItemScores& items, std::int64_t k) {
  check_items(items, k);
  return ranked_by(vae, [&](Rankings& rankings) { return rankings.top_k(items, k); });
}

std::vector<double> ndcg(const RankedItems& items) {
  check_ranked(items);
  return HostRankings().ndcg(items);
}

std::vector<double> ndcg(const Vae& vae, const RankedItems& items) {
  check_ranked(items);
  return ranked_by(vae, [&](Rankings& rankings) { return rankings.ndcg(items); });
}

}  // namespace vaecuda
