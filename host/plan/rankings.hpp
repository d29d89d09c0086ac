// What a device makes of many scores: their order, and what is counted along it. All that is asked for is an
// order or a count, or a sum in one order, so that every implementation gives the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaecuda/ranking.hpp"

namespace vaecuda {

/// How well a score separates two classes of rows.
struct ClassSeparation {
  double roc_auc = 0.0;
  double average_precision = 0.0;

  /// Of the sums over all groups of equal scores (kernels/math/ranking.h), the terms added from the highest
  /// score on.
  [[nodiscard]] static ClassSeparation of(std::int64_t twice_pairs, double precision_terms,
                                          std::int64_t positives, std::int64_t negatives) {
    const auto found = static_cast<double>(positives);
    const double pairs = 0.5 * static_cast<double>(twice_pairs);
    return {pairs / (found * static_cast<double>(negatives)), precision_terms / found};
  }
};

/// Arguments have been checked (host/evaluate/ranking.cpp): there are some, none is NaN, sizes fit together.
class Rankings {
 public:
  virtual ~Rankings() = default;
  /// Of scores with both classes.
  [[nodiscard]] virtual ClassSeparation separate(std::span<const float> scores,
                                                 std::span<const std::uint8_t> positive) = 0;
  /// The score of this rank, 0 being the smallest; 0 for −0.
  [[nodiscard]] virtual float at_rank(std::span<const float> scores, std::int64_t rank) = 0;
  [[nodiscard]] virtual std::vector<std::int32_t> top_k(const ItemScores& items, std::int64_t k) = 0;
  [[nodiscard]] virtual std::vector<double> ndcg(const RankedItems& items) = 0;
};

/// Sums of 1/log2(rank + 1) over the first 0, 1, … k ranks: the numbers from which every implementation takes
/// the gains of an NDCG.
struct RankDiscounts {
  explicit RankDiscounts(std::int64_t k);
  std::vector<double> each;   ///< (k)
  std::vector<double> ideal;  ///< (k + 1)
};

/// On the processor, by one thread.
class HostRankings final : public Rankings {
 public:
  [[nodiscard]] ClassSeparation separate(std::span<const float> scores,
                                         std::span<const std::uint8_t> positive) override;
  [[nodiscard]] float at_rank(std::span<const float> scores, std::int64_t rank) override;
  [[nodiscard]] std::vector<std::int32_t> top_k(const ItemScores& items, std::int64_t k) override;
  [[nodiscard]] std::vector<double> ndcg(const RankedItems& items) override;
};

}  // namespace vaecuda
