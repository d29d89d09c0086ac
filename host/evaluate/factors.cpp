#include "host/evaluate/factors.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "host/evaluate/information.hpp"

namespace vaecuda {
namespace {

/// A factor's value in every row, as its rank among the factor's different values.
struct Factor {
  std::string name;
  std::vector<std::int32_t> values;
};

/// Maps values to 0, 1, ..., which index the counts of equal values.
void rank_values(std::vector<std::int32_t>& values) {
  std::vector<std::int32_t> different = values;
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  for (std::int32_t& value : values) {
    const auto place = std::lower_bound(different.begin(), different.end(), value);
    value = static_cast<std::int32_t>(place - different.begin());
  }
}

std::vector<Factor> factors_of(const RowFacts& facts) {
  std::vector<Factor> factors;
  const auto& names = facts.factor_names;
  for (std::size_t f = 0; f < names.size(); ++f) {
    Factor factor{names[f], {}};
    for (std::size_t place = f; place < facts.factors.size(); place += names.size()) {
      factor.values.push_back(facts.factors[place]);
    }
    rank_values(factor.values);
    factors.push_back(std::move(factor));
  }
  if (factors.empty() && !facts.labels.empty()) factors.push_back({"label", facts.labels});
  return factors;
}

/// Difference of the two largest, over the entropy. For a single latent the second largest is 0.
double gap_of(std::vector<double> information, double entropy) {
  if (entropy == 0.0) return 0.0;
  information.push_back(0.0);
  std::partial_sort(information.begin(), information.begin() + 2, information.end(), std::greater<>());
  return (information[0] - information[1]) / entropy;
}

}  // namespace

std::vector<FactorFigures> factor_figures(const RowFacts& facts, std::span<const float> means,
                                          std::int64_t latents, std::int64_t bins) {
  const std::vector<Factor> factors = factors_of(facts);
  std::vector<FactorFigures> figures;
  figures.reserve(factors.size());
  for (const Factor& factor : factors) figures.push_back({factor.name, entropy(factor.values), {}, 0.0});
  std::vector<float> column(static_cast<std::size_t>(facts.rows));
  for (std::int64_t j = 0; j < latents && !factors.empty(); ++j) {
    for (std::size_t row = 0; row < column.size(); ++row) {
      column[row] = means[row * static_cast<std::size_t>(latents) + static_cast<std::size_t>(j)];
    }
    const std::vector<std::int32_t> places = equal_width_bins(column, bins);
    for (std::size_t f = 0; f < factors.size(); ++f) {
      figures[f].information.push_back(mutual_information(places, factors[f].values));
    }
  }
  for (FactorFigures& factor : figures) factor.gap = gap_of(factor.information, factor.entropy);
  return figures;
}

double mean_gap(std::span<const FactorFigures> factors) {
  double sum = 0.0;
  double count = 0.0;
  for (const FactorFigures& factor : factors) {
    if (factor.entropy == 0.0) continue;
    sum += factor.gap;
    count += 1.0;
  }
  return count > 0.0 ? sum / count : 0.0;
}

}  // namespace vaecuda
