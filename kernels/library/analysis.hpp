// Sorting, counting and summing over many values in device memory: what is asked, and what a library gives.
// Pointers are the device's. Results in memory are there in stream order, those that are returned at once.
#pragma once

#include <cstdint>

#include "kernels/math/value_statistics.h"

namespace vaecuda::kernels {

/// Device memory for the time of a call, with nothing promised of its contents.
class Scratch {
 public:
  virtual ~Scratch() = default;
  /// 256-byte aligned. What it throws leaves the call.
  [[nodiscard]] virtual void* take(std::int64_t bytes) = 0;
  virtual void give_back(void* memory) noexcept = 0;
};

/// Raw values, row-major, as a data set has them.
struct ValueMatrix {
  const void* values = nullptr;
  bool is_bytes = false;  ///< unsigned ones, else floats
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

struct ClassRankingArgs {
  const float* scores = nullptr;           ///< (count), none NaN
  const std::uint8_t* positive = nullptr;  ///< (count)
  std::int64_t count = 0;
  double* precision_terms = nullptr;  ///< out: math::precision_term, room for one a positive
};

struct ClassRanking {
  std::int64_t twice_pairs = 0;  ///< sum of math::twice_ordered_pairs
  std::int64_t terms = 0;        ///< how many were written: of the groups with a positive, from the highest
};

struct TopKArgs {
  const float* scores = nullptr;           ///< (rows, columns), none NaN
  const std::uint8_t* excluded = nullptr;  ///< (rows, columns): not 0 for what is in no ranking; may be null
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t k = 0;            ///< at most `columns`
  std::int32_t* best = nullptr;  ///< out (rows, k): columns of the highest scores, of equal ones the lower
                                 ///< column first; −1 where there is none left
};

struct NdcgArgs {
  const std::int32_t* best = nullptr;      ///< (rows, k), as TopKArgs gives it
  const std::uint8_t* relevant = nullptr;  ///< (rows, columns)
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t k = 0;
  const double* discounts = nullptr;  ///< (k): of each rank
  const double* ideal = nullptr;      ///< (k + 1): sums of the first discounts
  double* ndcg = nullptr;             ///< out (rows); NaN where nothing is relevant
};

/// Failures are device::Failure. Not thread-safe; one call at a time.
class Analysis {
 public:
  virtual ~Analysis() = default;
  [[nodiscard]] virtual ClassRanking rank_classes(const ClassRankingArgs& args) = 0;
  /// Writes the score of this rank, 0 being the smallest; 0 for either zero. None may be NaN.
  virtual void at_rank(const float* scores, std::int64_t count, std::int64_t rank, float* score) = 0;
  virtual void top_k(const TopKArgs& args) = 0;
  virtual void ndcg(const NdcgArgs& args) = 0;
  [[nodiscard]] virtual math::ValueTotals totals(const ValueMatrix& matrix) = 0;
  /// Row-major index of the first value that, times `scale`, is not in [least, most]; their number where all
  /// are.
  [[nodiscard]] virtual std::int64_t first_outside(const ValueMatrix& matrix, float scale, float least,
                                                   float most) = 0;
  /// Writes the moments of every column of the values times `scale`: sums over the rows in their order, so
  /// that they have the bits of a loop over the rows on the host.
  virtual void columns(const ValueMatrix& matrix, float scale, math::ColumnMoments* moments) = 0;
};

}  // namespace vaecuda::kernels
