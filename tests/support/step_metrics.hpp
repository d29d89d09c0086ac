// What tests ask of a step's metrics.
#pragma once

#include <algorithm>
#include <cmath>
#include <iterator>

#include "kernels/math/step_state.h"

namespace vaecuda::test {

inline double reconstruction_of(const math::StepMetrics& metrics) {
  return math::mean_of(metrics.means, math::LossTermKind::reconstruction);
}
inline double kl_of(const math::StepMetrics& metrics) {
  return math::mean_of(metrics.means, math::LossTermKind::kl);
}

/// The same terms with the same means, none of them NaN.
inline bool same_means(const math::StepMetrics& a, const math::StepMetrics& b) {
  return a.means.present == b.means.present &&
         std::equal(std::begin(a.means.of_kind), std::end(a.means.of_kind), std::begin(b.means.of_kind));
}

/// Σ over the terms of |difference|, relative to their sizes.
inline double distance_of_means(const math::StepMetrics& a, const math::StepMetrics& b) {
  double difference = 0.0;
  double size = 0.0;
  for (int k = 0; k < math::kLossTermKinds; ++k) {
    difference += std::fabs(a.means.of_kind[k] - b.means.of_kind[k]);
    size += std::fabs(a.means.of_kind[k]);
  }
  return difference / size;
}

}  // namespace vaecuda::test
