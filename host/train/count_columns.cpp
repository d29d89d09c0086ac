#include "host/train/count_columns.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/config/likelihood_traits.hpp"
#include "host/train/chosen_rows.hpp"

namespace vaecuda {
namespace {

/// Calls `use(row, sum)` for the chosen rows as doubles.
template <typename Use>
void for_each_row(const Dataset& data, Use&& use) {
  for_each_chosen_row(data, [&](const std::vector<float>& values) {
    const std::vector<double> row(values.begin(), values.end());
    use(row, std::accumulate(row.begin(), row.end(), 0.0));
  });
}

}  // namespace

CountColumns::CountColumns(const Dataset& train, const ModelConfig& model)
    : likelihood_(model.likelihood), of_row_sum_(rates_have_row_sum(model)) {
  const auto columns = static_cast<std::size_t>(train.columns());
  rate_.assign(columns, 0.0);
  double exposure = 0.0;  // the counts of all rows, or their number
  for_each_row(train, [&](const std::vector<double>& row, double sum) {
    exposure += of_row_sum_ ? sum : 1.0;
    for (std::size_t c = 0; c < columns; ++c) rate_[c] += row[c];
  });
  // What the training rows never had is unlikely and not impossible.
  for (double& rate : rate_) rate = std::max(rate, 0.5) / std::max(exposure, 1.0);

  // The variance μ + μ²/θ holds the mean of (x − μ)² − μ.
  std::vector<double> square(columns);
  std::vector<double> excess(columns);
  for_each_row(train, [&](const std::vector<double>& row, double sum) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double mean = rate_[c] * (of_row_sum_ ? sum : 1.0);
      square[c] += mean * mean;
      excess[c] += (row[c] - mean) * (row[c] - mean) - mean;
    }
  });
  constexpr double kLeast = 1e-4;
  constexpr double kMost = 1e8;
  for (std::size_t c = 0; c < columns; ++c)
    dispersion_.push_back(excess[c] > 0.0 ? std::clamp(square[c] / excess[c], kLeast, kMost) : kMost);
}

double CountColumns::loss(const Dataset& data) const {
  double total = 0.0;
  math::with_count_likelihood(kind_of(likelihood_), [&](auto mass) {
    for_each_row(data, [&](const std::vector<double>& row, double sum) {
      if (of_row_sum_ && sum == 0.0) return;
      if (mass.kIsOfRow) total += math::multinomial_row(sum);
      for (std::size_t c = 0; c < row.size(); ++c) {
        const double mean = rate_[c] * (of_row_sum_ ? sum : 1.0);
        // A zero logit far below 0: no additional zeros.
        const math::CountEntry<double> entry{std::log(mean), mean, dispersion_[c], -1e3};
        total += (row[c] > 0.0 ? mass.positive(row[c], entry) : mass.zero(entry)).nll;
      }
    });
  });
  return total / static_cast<double>(chosen_rows(data));
}

}  // namespace vaecuda
