// The simplest model of counts: every column's share of a row, the same for every row.
#pragma once

#include <cstdint>
#include <vector>

#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// Rates are each column's mean, or its share of all counts times the row's sum, as the model's are.
/// Dispersions, where the model has any, are each column's by moments; additional zeros are left to them. Of
/// more than 10,000 rows evenly spaced ones are looked at.
class CountColumns {
 public:
  CountColumns(const Dataset& train, const ModelConfig& model);

  /// Mean over the rows of −log p(x), nats.
  [[nodiscard]] double loss(const Dataset& data) const;

 private:
  Likelihood likelihood_;
  bool of_row_sum_;
  std::vector<double> rate_;
  std::vector<double> dispersion_;
};

}  // namespace vaecuda
