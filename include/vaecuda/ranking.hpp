// Rankings by score: how well a score separates two classes of rows, quantiles, and how well items that are
// ranked for each of many rows meet what was held out. docs/evaluation.md defines every figure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vaecuda/error.hpp"
#include "vaecuda/export.h"
#include "vaecuda/vae.hpp"

namespace vaecuda {

/// The probability that a positive has a higher score than a negative, ties counting half (Mann and Whitney).
/// `positive` holds 0 or 1 per score. \throws ConfigError if one of the classes is absent, the sizes differ,
/// or a score is NaN
[[nodiscard]] VAECUDA_API double roc_auc(std::span<const float> scores,
                                         std::span<const std::uint8_t> positive);
/// Σ (recall − previous recall) · precision over the distinct scores in descending order, as in scikit-learn.
/// \throws as roc_auc
[[nodiscard]] VAECUDA_API double average_precision(std::span<const float> scores,
                                                   std::span<const std::uint8_t> positive);

/// The smallest score that at least a `share` of all, from 0 to 1, does not exceed; 0 for −0.
/// \throws ConfigError without scores, for one that is NaN, for another share
[[nodiscard]] VAECUDA_API float quantile(std::span<const float> scores, double share);
/// The same, to the last bit, by the device of a model.
/// \throws as above, and DeviceError in a process that was forked from the one that loaded the model on a GPU
[[nodiscard]] VAECUDA_API float quantile(const Vae& vae, std::span<const float> scores, double share);

/// Scores of the items (columns) that are ranked for each row.
struct ItemScores {
  std::span<const float> scores;           ///< row-major, whole rows
  std::int64_t columns = 0;                ///< items
  std::span<const std::uint8_t> excluded;  ///< like scores: 1 for items in no ranking; empty: none
};

/// The k items of the highest scores of every row, (rows, k): of equal scores the item with the lower index
/// first; −1 where a row has no more. \throws ConfigError for k below 1 or above the number of items, sizes
/// that do not fit together, a score that is NaN and not excluded
[[nodiscard]] VAECUDA_API std::vector<std::int32_t> top_k(const ItemScores& items, std::int64_t k);
/// The same by the device of a model. \throws as quantile
[[nodiscard]] VAECUDA_API std::vector<std::int32_t> top_k(const Vae& vae, const ItemScores& items,
                                                          std::int64_t k);

/// Items ranked for each row, and those that should be among the first.
struct RankedItems {
  std::span<const std::int32_t> best;  ///< (rows, k), as top_k gives it
  std::int64_t k = 0;
  std::span<const std::uint8_t> relevant;  ///< (rows, columns): 1 for the items that were held out
  std::int64_t columns = 0;                ///< items
};

/// NDCG@k of every row: Σ 1/log2(rank + 1) over the relevant ones of the ranked items, ranks counted from 1,
/// divided by that sum over the first min(k, relevant items) ranks. NaN for a row with nothing relevant,
/// which has no NDCG: means leave it out. \throws ConfigError for sizes that do not fit together, an index
/// that is no item's
[[nodiscard]] VAECUDA_API std::vector<double> ndcg(const RankedItems& items);
/// The same, to the last bit, by the device of a model. \throws as quantile
[[nodiscard]] VAECUDA_API std::vector<double> ndcg(const Vae& vae, const RankedItems& items);

}  // namespace vaecuda
