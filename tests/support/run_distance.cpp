#include "support/run_distance.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/step_metrics.hpp"

namespace vaecuda::test {

Distance distance(const TrainingResult& a, const TrainingResult& b, std::int64_t steps) {
  REQUIRE_FALSE(a.fault.has_value());
  REQUIRE_FALSE(b.fault.has_value());
  REQUIRE(a.metrics.size() == static_cast<std::size_t>(steps));
  REQUIRE(b.metrics.size() == static_cast<std::size_t>(steps));
  Distance d;
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    const math::StepMetrics& x = a.metrics[i];
    const math::StepMetrics& y = b.metrics[i];
    REQUIRE(x.step == y.step);
    d.loss = std::max(d.loss, distance_of_means(x, y));
    d.gradient_norm =
        std::max(d.gradient_norm, std::fabs(x.gradient_norm - y.gradient_norm) / x.gradient_norm);
  }
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    d.parameters = std::max(
        d.parameters, std::fabs(static_cast<double>(a.parameters[i]) - static_cast<double>(b.parameters[i])));
  }
  return d;
}

}  // namespace vaecuda::test
