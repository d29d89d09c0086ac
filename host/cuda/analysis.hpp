// Rankings and statistics of values by the library that the runtime has for them (kernels/library/).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/cuda/memory.hpp"
#include "host/plan/rankings.hpp"
#include "host/plan/value_statistics.hpp"
#include "kernels/library/analysis.hpp"

namespace vaecuda::cuda {

/// Scores and marks are copied to the device for the time of a call.
class CudaRankings final : public Rankings {
 public:
  explicit CudaRankings(Context& context) : context_(context) {}
  [[nodiscard]] ClassSeparation separate(std::span<const float> scores,
                                         std::span<const std::uint8_t> positive) override;
  [[nodiscard]] float at_rank(std::span<const float> scores, std::int64_t rank) override;
  [[nodiscard]] std::vector<std::int32_t> top_k(const ItemScores& items, std::int64_t k) override;
  [[nodiscard]] std::vector<double> ndcg(const RankedItems& items) override;

 private:
  Context& context_;
};

/// Of rows that are in device memory. They must outlive it.
class CudaValues final : public ValueStatistics {
 public:
  CudaValues(Context& context, const kernels::ValueMatrix& matrix) : context_(context), matrix_(matrix) {}
  [[nodiscard]] math::ValueTotals totals() const override;
  [[nodiscard]] std::optional<std::int64_t> first_outside(float scale, float least,
                                                          float most) const override;
  [[nodiscard]] std::vector<math::ColumnMoments> columns(float scale) const override;

 private:
  Context& context_;
  kernels::ValueMatrix matrix_;
};

}  // namespace vaecuda::cuda
