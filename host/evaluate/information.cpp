#include "host/evaluate/information.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "host/evaluate/log_sum_exp.hpp"
#include "host/inference/latents.hpp"
#include "kernels/math/gaussian.h"

namespace vaecuda {
namespace {

std::size_t values_of(std::span<const std::int32_t> values) {
  return values.empty() ? 0 : static_cast<std::size_t>(*std::max_element(values.begin(), values.end())) + 1;
}

/// −p log p of `count` out of `all`.
double entropy_term(double count, double all) {
  return count > 0.0 ? count / all * std::log(all / count) : 0.0;
}

double entropy_of_counts(const std::vector<double>& counts, double all) {
  double sum = 0.0;
  for (const double count : counts) sum += entropy_term(count, all);
  return sum;
}

std::vector<double> counts_of(std::span<const std::int32_t> values) {
  std::vector<double> counts(values_of(values), 0.0);
  for (const std::int32_t value : values) counts[static_cast<std::size_t>(value)] += 1.0;
  return counts;
}

/// The posteriors of the chosen rows, in the form of a log-density without ½ log 2π, which cancels.
struct Densities {
  std::size_t latents = 0;
  std::vector<double> mean;
  std::vector<double> deviation;
  std::vector<double> precision;
  std::vector<double> log_scale;  ///< per row: −½ Σ log σ²
  double kl = 0.0;                ///< mean over the rows

  [[nodiscard]] double log_density(std::size_t row, std::span<const double> z) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < latents; ++j) {
      const double distance = z[j] - mean[row * latents + j];
      sum += distance * distance * precision[row * latents + j];
    }
    return log_scale[row] - 0.5 * sum;
  }
};

Densities densities_of(const Posteriors& posteriors, const std::vector<std::int64_t>& rows) {
  Densities all;
  all.latents = static_cast<std::size_t>(posteriors.latents);
  for (const std::int64_t row : rows) {
    double log_scale = 0.0;
    for (std::int64_t j = 0; j < posteriors.latents; ++j) {
      const auto place = static_cast<std::size_t>(row * posteriors.latents + j);
      const auto q = math::latent_posterior(static_cast<double>(posteriors.mean[place]),
                                            static_cast<double>(posteriors.logvar[place]), 1.0);
      all.mean.push_back(q.mu);
      all.deviation.push_back(q.sigma);
      all.precision.push_back(1.0 / (q.sigma * q.sigma));
      log_scale -= 0.5 * q.logvar;
      all.kl += math::latent_kl(q) / static_cast<double>(rows.size());
    }
    all.log_scale.push_back(log_scale);
  }
  return all;
}

}  // namespace

std::vector<std::int32_t> equal_width_bins(std::span<const float> values, std::int64_t bins) {
  std::vector<std::int32_t> result(values.size(), 0);
  if (values.empty()) return result;
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, static_cast<double>(value));
    greatest = std::max(greatest, static_cast<double>(value));
  }
  const double width = greatest - least;
  if (!(width > 0.0)) return result;
  const auto count = static_cast<double>(bins);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;  // in the first bin
    const double place = (static_cast<double>(values[i]) - least) / width * count;
    result[i] = static_cast<std::int32_t>(std::min(place, count - 1.0));
  }
  return result;
}

double entropy(std::span<const std::int32_t> values) {
  return entropy_of_counts(counts_of(values), static_cast<double>(values.size()));
}

double mutual_information(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  std::map<std::pair<std::int32_t, std::int32_t>, double> pairs;
  for (std::size_t i = 0; i < a.size(); ++i) pairs[{a[i], b[i]}] += 1.0;
  double joint = 0.0;
  for (const auto& [pair, count] : pairs) joint += entropy_term(count, static_cast<double>(a.size()));
  return std::max(0.0, entropy(a) + entropy(b) - joint);  // negative only by rounding
}

AggregateFigures aggregate_information(const Posteriors& posteriors, std::uint64_t seed,
                                       std::int64_t most_rows) {
  AggregateFigures result;
  result.rows = std::min(posteriors.rows, most_rows);
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < result.rows; ++i) rows.push_back(i * posteriors.rows / result.rows);
  const Densities densities = densities_of(posteriors, rows);
  const auto count = static_cast<double>(result.rows);
  std::vector<double> z(densities.latents);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // As LatentForward draws it in an evaluation, for sample 0 of a row.
    for_each_normal(seed, rows[i], math::RandomPurpose::evaluate, z.size(), [&](std::size_t j, float normal) {
      const std::size_t place = i * z.size() + j;
      z[j] = densities.mean[place] + densities.deviation[place] * static_cast<double>(normal);
    });
    LogSumExp mixture;
    for (std::size_t m = 0; m < rows.size(); ++m) mixture.add(densities.log_density(m, z));
    result.information += (densities.log_density(i, z) - (mixture.value() - std::log(count))) / count;
  }
  result.marginal_kl = densities.kl - result.information;
  return result;
}

}  // namespace vaecuda
