// The simplest model of a table: every column by itself, the same for every row. What a trained model has to
// beat.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/data/prepare.hpp"
#include "host/train/count_columns.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda {

/// Each column has the model's likelihood around its own mean: with the σ that the configuration fixes; one
/// that is learned is the deviation of all columns together, one by head that of each column. All in prepared
/// units. Of more than 10,000 rows evenly spaced ones are looked at.
class ColumnModel {
 public:
  /// Fits it to the training rows. `preparation` must outlive it.
  ColumnModel(const Dataset& train, const Preparation& preparation, const ModelConfig& model);

  /// Mean over the rows of −log p(x), nats.
  [[nodiscard]] double loss(const Dataset& data) const;
  /// Standard deviation of each column over the training rows.
  [[nodiscard]] const std::vector<double>& deviations() const { return deviation_; }

 private:
  const Preparation& preparation_;
  Likelihood likelihood_;
  std::optional<CountColumns> counts_;  ///< of a likelihood of counts: all but the deviations
  std::vector<double> output_;          ///< of a decoder whose mean is the column's
  std::vector<double> deviation_;
  std::vector<double> sigma_;  ///< of the likelihood
};

}  // namespace vaecuda
