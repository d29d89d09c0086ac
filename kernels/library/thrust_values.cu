// What is measured of all values of a data set in device memory.
#include <thrust/find.h>
#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>

#include "kernels/library/thrust_analysis.hpp"
#include "kernels/library/thrust_calls.cuh"

namespace vaecuda::kernels {
namespace {

using Index = std::int64_t;

/// Both types in one source of work: which it is is the same for every thread, and half as much is compiled.
VAECUDA_HD float raw_value(const ValueMatrix& matrix, Index i) {
  return matrix.is_bytes ? static_cast<float>(static_cast<const std::uint8_t*>(matrix.values)[i])
                         : static_cast<const float*>(matrix.values)[i];
}

struct TotalsOf {
  ValueMatrix matrix;
  VAECUDA_HD math::ValueTotals operator()(Index i) const { return math::totals_of(raw_value(matrix, i)); }
};

struct AddTotals {
  VAECUDA_HD math::ValueTotals operator()(const math::ValueTotals& a, const math::ValueTotals& b) const {
    return a + b;
  }
};

struct IsOutside {
  ValueMatrix matrix;
  float scale;
  float least;
  float most;
  VAECUDA_HD bool operator()(Index i) const {
    const float value = math::scaled(raw_value(matrix, i), scale);
    return !(value >= least && value <= most);
  }
};

/// Calls `use` with the values of a column times `scale`, row after row. Some are loaded ahead of their use:
/// the sum waits for each addition, and would otherwise wait for each load as well.
template <typename Use>
VAECUDA_HD void for_each_in_column(const ValueMatrix& matrix, float scale, Index column, Use&& use) {
  constexpr Index kAhead = 16;
  Index row = 0;
  for (; row + kAhead <= matrix.rows; row += kAhead) {
    float ahead[kAhead];
    for (Index j = 0; j < kAhead; ++j) ahead[j] = raw_value(matrix, (row + j) * matrix.columns + column);
    for (Index j = 0; j < kAhead; ++j) use(math::scaled(ahead[j], scale));
  }
  for (; row < matrix.rows; ++row) {
    use(math::scaled(raw_value(matrix, row * matrix.columns + column), scale));
  }
}

struct MomentsOf {
  ValueMatrix matrix;
  float scale;
  VAECUDA_HD math::ColumnMoments operator()(Index column) const {
    math::ColumnMoments moments;
    const float first = math::scaled(raw_value(matrix, column), scale);
    for_each_in_column(matrix, scale, column, [&](float value) {
      moments.mean += static_cast<double>(value);
      moments.varies = moments.varies || value != first;
    });
    moments.mean /= static_cast<double>(matrix.rows);
    for_each_in_column(matrix, scale, column, [&](float value) {
      moments.squares = math::add_square(moments.squares, static_cast<double>(value) - moments.mean);
    });
    return moments;
  }
};

thrust::counting_iterator<Index> from(Index begin) {
  return thrust::counting_iterator<Index>(begin);
}

}  // namespace

math::ValueTotals ThrustAnalysis::totals(const ValueMatrix& matrix) {
  return with_thrust("sizes of values", stream_, scratch_, [&](const auto& policy) {
    return thrust::transform_reduce(policy, from(0), from(matrix.rows * matrix.columns), TotalsOf{matrix},
                                    math::ValueTotals{}, AddTotals{});
  });
}

std::int64_t ThrustAnalysis::first_outside(const ValueMatrix& matrix, float scale, float least, float most) {
  return with_thrust("a check of values", stream_, scratch_, [&](const auto& policy) {
    const auto end = from(matrix.rows * matrix.columns);
    return *thrust::find_if(policy, from(0), end, IsOutside{matrix, scale, least, most});
  });
}

void ThrustAnalysis::columns(const ValueMatrix& matrix, float scale, math::ColumnMoments* moments) {
  with_thrust("moments of columns", stream_, scratch_, [&](const auto& policy) {
    thrust::transform(policy, from(0), from(matrix.columns), moments, MomentsOf{matrix, scale});
  });
}

}  // namespace vaecuda::kernels
