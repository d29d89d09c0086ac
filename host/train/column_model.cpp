#include "host/train/column_model.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/config/likelihood_traits.hpp"
#include "host/train/chosen_rows.hpp"

namespace vaecuda {
namespace {

/// Calls `use(column, value)` for the values of the chosen rows as the model gets them; one that is drawn as
/// the probability that it is 1.
template <typename Use>
void for_each_prepared(const Dataset& data, const Preparation& preparation, Use&& use) {
  for_each_chosen_row(data, [&](const std::vector<float>& row) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      float value = row[c] * preparation.scale;
      if (!preparation.mean.empty()) {
        value = (value - preparation.mean[c]) * preparation.inverse_deviation[c];
      }
      if (preparation.binarize == Binarize::threshold) value = value > 0.5f ? 1.0f : 0.0f;
      use(c, static_cast<double>(value));
    }
  });
}

}  // namespace

ColumnModel::ColumnModel(const Dataset& train, const Preparation& preparation, const ModelConfig& model)
    : preparation_(preparation), likelihood_(model.likelihood) {
  const auto columns = static_cast<std::size_t>(train.columns());
  const auto rows = static_cast<double>(chosen_rows(train));
  std::vector<double> mean(columns);
  for_each_prepared(train, preparation, [&](std::size_t c, double value) { mean[c] += value / rows; });
  deviation_.assign(columns, 0.0);
  const bool drawn = preparation.binarize == Binarize::stochastic;
  for_each_prepared(train, preparation, [&](std::size_t c, double value) {
    const double apart = value - mean[c];
    deviation_[c] += (apart * apart + (drawn ? value * (1.0 - value) : 0.0)) / rows;
  });
  const double together =
      std::sqrt(std::accumulate(deviation_.begin(), deviation_.end(), 0.0) / static_cast<double>(columns));
  for (double& one : deviation_) one = std::sqrt(one);

  // What the training rows never had is unlikely and not impossible; a column that never varies has a σ that
  // the decoder could give.
  const double rare = 0.5 / rows;
  const double least = std::exp(-static_cast<double>(math::kLogSigmaBound));
  if (traits_of(likelihood_).domain == ValueDomain::count) {
    counts_.emplace(train, model);
    return;
  }
  math::with_element_likelihood(kind_of(likelihood_), [&](auto functor) {
    for (std::size_t c = 0; c < columns; ++c) {
      const bool is_share = functor.kDomain == math::ValueDomain::unit;
      output_.push_back(functor.output_of(is_share ? std::clamp(mean[c], rare, 1.0 - rare) : mean[c]));
      sigma_.push_back(model.sigma_source == SigmaSource::fixed     ? model.sigma.value()
                       : model.sigma_source == SigmaSource::learned ? std::max(together, least)
                                                                    : std::max(deviation_[c], least));
    }
  });
}

double ColumnModel::loss(const Dataset& data) const {
  if (counts_) return counts_->loss(data);
  const bool drawn = preparation_.binarize == Binarize::stochastic;
  double sum = 0.0;
  math::with_element_likelihood(kind_of(likelihood_), [&](auto functor) {
    for_each_prepared(data, preparation_, [&](std::size_t c, double value) {
      const math::Deviation<double> sigma{std::log(sigma_[c]), 1.0 / sigma_[c], 0.0};
      const auto nll = [&](double x) { return functor(output_[c], x, sigma).nll; };
      sum += drawn ? value * nll(1.0) + (1.0 - value) * nll(0.0) : nll(value);
    });
  });
  return sum / static_cast<double>(chosen_rows(data));
}

}  // namespace vaecuda
