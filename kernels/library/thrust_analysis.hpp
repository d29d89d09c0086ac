// Analysis by Thrust. The same source is compiled for a GPU, where Thrust sorts, scans and reduces by CUB,
// and by the tests for Thrust's host system, where device memory is the host's.
#pragma once

#include "kernels/library/analysis.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

/// On the device that is current at each call. Every call waits for its end.
class ThrustAnalysis final : public Analysis {
 public:
  /// `scratch` must outlive this.
  ThrustAnalysis(Stream stream, Scratch& scratch) : stream_(stream), scratch_(scratch) {}

  [[nodiscard]] ClassRanking rank_classes(const ClassRankingArgs& args) override;
  void at_rank(const float* scores, std::int64_t count, std::int64_t rank, float* score) override;
  void top_k(const TopKArgs& args) override;
  void ndcg(const NdcgArgs& args) override;
  [[nodiscard]] math::ValueTotals totals(const ValueMatrix& matrix) override;
  [[nodiscard]] std::int64_t first_outside(const ValueMatrix& matrix, float scale, float least,
                                           float most) override;
  void columns(const ValueMatrix& matrix, float scale, math::ColumnMoments* moments) override;

 private:
  Stream stream_;
  Scratch& scratch_;
};

}  // namespace vaecuda::kernels
