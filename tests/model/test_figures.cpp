// The figures of an evaluation as pure functions: against values by hand and by brute force.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "host/evaluate/anomalies.hpp"
#include "host/evaluate/factors.hpp"
#include "host/evaluate/information.hpp"
#include "host/evaluate/log_sum_exp.hpp"
#include "host/evaluate/moments.hpp"
#include "host/evaluate/row_facts.hpp"
#include "support/catch.hpp"
#include "vaecuda/evaluate.hpp"

namespace vaecuda {
namespace {

using Floats = std::vector<float>;
using Marks = std::vector<std::uint8_t>;
using Ints = std::vector<std::int32_t>;

/// What is known of the rows, as an evaluation learns it: by reading them, in blocks of some rows each.
RowFacts facts_of(const Dataset& data) {
  RowFacts facts;
  const auto rows = rows_of(data);
  NotedRows noted(*rows, facts);
  while (!noted.next(5).empty()) {
  }
  return facts;
}

/// Every pair of a positive and a negative.
double auc_by_pairs(const Floats& scores, const Marks& positive) {
  double won = 0.0;
  double pairs = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t k = 0; k < scores.size(); ++k) {
      if (positive[i] == 0 || positive[k] != 0) continue;
      pairs += 1.0;
      won += scores[i] > scores[k] ? 1.0 : scores[i] == scores[k] ? 0.5 : 0.0;
    }
  }
  return won / pairs;
}

/// Precision and recall counted anew at every threshold.
double precision_by_thresholds(const Floats& scores, const Marks& positive) {
  const std::set<float, std::greater<>> thresholds(scores.begin(), scores.end());
  const auto all = static_cast<double>(std::count(positive.begin(), positive.end(), 1));
  double sum = 0.0;
  double recall_before = 0.0;
  for (const float threshold : thresholds) {
    double taken = 0.0;
    double found = 0.0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] < threshold) continue;
      taken += 1.0;
      found += positive[i];
    }
    sum += (found / all - recall_before) * found / taken;
    recall_before = found / all;
  }
  return sum;
}

/// A data set of `rows` rows and one column.
Dataset rows_only(std::int64_t rows) {
  return Dataset(Floats(static_cast<std::size_t>(rows), 0.0f), rows, 1);
}

}  // namespace

TEST_CASE("ROC AUC and average precision by hand", "[figures]") {
  // The example of scikit-learn's documentation.
  const Floats scores = {0.1f, 0.4f, 0.35f, 0.8f};
  const Marks positive = {0, 0, 1, 1};
  CHECK(roc_auc(scores, positive) == Approx(0.75));
  CHECK(average_precision(scores, positive) == Approx(0.5 * 1.0 + 0.5 * 2.0 / 3.0));
  const Floats perfect = {1.0f, 2.0f, 3.0f, 4.0f};
  CHECK(roc_auc(perfect, positive) == 1.0);
  CHECK(average_precision(perfect, positive) == 1.0);
  const Floats reversed = {4.0f, 3.0f, 2.0f, 1.0f};
  CHECK(roc_auc(reversed, positive) == 0.0);
  // All alike: chance, and the share of positives.
  const Floats same(4, 7.0f);
  CHECK(roc_auc(same, Marks{0, 0, 0, 1}) == 0.5);
  CHECK(average_precision(same, Marks{0, 0, 0, 1}) == 0.25);
}

TEST_CASE("ROC AUC and average precision agree with brute force, ties included", "[figures]") {
  std::mt19937 bits(7);
  for (const unsigned distinct : {2U, 5U, 40U, 100'000U}) {
    Floats scores;
    Marks positive;
    for (int i = 0; i < 150; ++i) {
      scores.push_back(static_cast<float>(bits() % distinct) - 3.0f);
      positive.push_back(bits() % 4 == 0 ? 1 : 0);
    }
    scores[3] = std::numeric_limits<float>::infinity();
    scores[5] = -std::numeric_limits<float>::infinity();
    INFO(distinct << " distinct scores");
    CHECK(roc_auc(scores, positive) == Approx(auc_by_pairs(scores, positive)).epsilon(1e-12));
    CHECK(average_precision(scores, positive) ==
          Approx(precision_by_thresholds(scores, positive)).epsilon(1e-12));
  }
}

TEST_CASE("what cannot be ranked is refused", "[figures]") {
  const Floats scores = {1.0f, 2.0f};
  CHECK_THROWS_AS(roc_auc(scores, Marks{1}), ConfigError);
  CHECK_THROWS_AS(roc_auc(scores, Marks{1, 1}), ConfigError);
  CHECK_THROWS_AS(average_precision(scores, Marks{0, 0}), ConfigError);
  CHECK_THROWS_AS(average_precision(Floats{1.0f, NAN}, Marks{0, 1}), ConfigError);
}

TEST_CASE("moments keep their digits far from zero", "[figures]") {
  Moments moments;
  for (const double value : {4.0, 7.0, 13.0, 16.0}) moments.add(1e9 + value);
  CHECK(moments.mean() == Approx(1e9 + 10.0).epsilon(1e-15));
  CHECK(moments.variance() == Approx(22.5).epsilon(1e-9));
  CHECK(moments.estimate().standard_error == Approx(std::sqrt(30.0 / 4.0)).epsilon(1e-9));
  Moments single;
  single.add(3.0);
  CHECK(single.estimate().standard_error == 0.0);
}

TEST_CASE("log-sum-exp neither overflows nor underflows", "[figures]") {
  LogSumExp sum;
  CHECK(sum.value() == -std::numeric_limits<double>::infinity());
  sum.add(-std::numeric_limits<double>::infinity());
  sum.add(-5000.0);
  CHECK(sum.value() == Approx(-5000.0));
  sum.add(1000.0);
  sum.add(1000.0 + std::log(2.0));
  CHECK(sum.value() == Approx(1000.0 + std::log(3.0)).epsilon(1e-15));
}

TEST_CASE("bins of equal width", "[figures]") {
  CHECK(equal_width_bins(Floats{0.0f, 1.0f, 2.0f, 3.0f}, 2) == Ints{0, 0, 1, 1});
  CHECK(equal_width_bins(Floats{-1.0f, 1.0f, 0.0f, 0.99f}, 2) == Ints{0, 1, 1, 1});
  CHECK(equal_width_bins(Floats{2.5f, 2.5f}, 20) == Ints{0, 0});
  CHECK(equal_width_bins(Floats{}, 20).empty());
  Floats ramp;
  for (int i = 0; i <= 20; ++i) ramp.push_back(static_cast<float>(i));
  const Ints bins = equal_width_bins(ramp, 20);
  for (int i = 0; i <= 20; ++i) CHECK(bins[static_cast<std::size_t>(i)] == std::min(i, 19));
}

TEST_CASE("entropy and mutual information of counts", "[figures]") {
  const Ints a = {0, 0, 1, 1};
  CHECK(entropy(a) == Approx(std::log(2.0)));
  CHECK(entropy(Ints{4, 4, 4}) == 0.0);
  CHECK(entropy(Ints{0, 1, 2, 5}) == Approx(std::log(4.0)));
  CHECK(mutual_information(a, a) == Approx(std::log(2.0)));
  CHECK(mutual_information(a, Ints{1, 1, 0, 0}) == Approx(std::log(2.0)));
  CHECK(mutual_information(a, Ints{0, 1, 0, 1}) == Approx(0.0).margin(1e-15));
  // Three of four agree: Σ p log p/(p_a p_b) over (0,0): 2/4, (1,0): 1/4, (1,1): 1/4 with p_a = ½, p_b = ¾,
  // ¼.
  const double expected = 0.5 * std::log(0.5 / (0.5 * 0.75)) + 0.25 * std::log(0.25 / (0.5 * 0.75)) +
                          0.25 * std::log(0.25 / (0.5 * 0.25));
  CHECK(mutual_information(a, Ints{0, 0, 0, 1}) == Approx(expected).epsilon(1e-12));
}

TEST_CASE("the information gap rewards one latent per factor", "[figures]") {
  // 24 rows: all combinations of two factors, four times; a third factor never varies.
  Dataset data = rows_only(24);
  Ints factors;
  Floats separate;
  Floats shared;
  for (int row = 0; row < 24; ++row) {
    const int size = row % 2;
    const int place = row / 2 % 3;
    factors.insert(factors.end(), {size, place, 0});
    separate.insert(separate.end(), {static_cast<float>(size), 0.0f, static_cast<float>(place)});
    // Both latents hold both factors: 6 distinct values each.
    const auto both = static_cast<float>(size * 3 + place);
    shared.insert(shared.end(), {both, -both, 0.5f});
  }
  data.set_factors(factors, {"size", "place", "colour"});
  const auto apart = factor_figures(facts_of(data), separate, 3, 20);
  REQUIRE(apart.size() == 3);
  CHECK(apart[0].name == "size");
  CHECK(apart[0].entropy == Approx(std::log(2.0)));
  CHECK(apart[0].information[0] == Approx(std::log(2.0)));
  CHECK(apart[0].information[2] == Approx(0.0).margin(1e-12));
  CHECK(apart[0].gap == Approx(1.0));
  CHECK(apart[1].information[2] == Approx(std::log(3.0)));
  CHECK(apart[1].gap == Approx(1.0));
  CHECK(apart[2].entropy == 0.0);
  CHECK(apart[2].gap == 0.0);
  CHECK(mean_gap(apart) == Approx(1.0));  // the constant factor has no say
  const auto together = factor_figures(facts_of(data), shared, 3, 20);
  CHECK(together[1].information[0] == Approx(std::log(3.0)));
  CHECK(mean_gap(together) == Approx(0.0).margin(1e-12));
  // A single latent has none beside it.
  Floats single;
  for (int row = 0; row < 24; ++row) single.push_back(static_cast<float>(row % 2));
  CHECK(factor_figures(facts_of(data), single, 1, 20)[0].gap == Approx(1.0));
}

TEST_CASE("labels stand in where a data set has no factors", "[figures]") {
  Dataset data = rows_only(4);
  CHECK(factor_figures(facts_of(data), Floats(4, 0.0f), 1, 20).empty());
  data.set_labels({0, 1, 1, 0}, {"cat", "dog"});
  const auto figures = factor_figures(facts_of(data), Floats{0.0f, 3.0f, 3.0f, 0.0f}, 1, 20);
  REQUIRE(figures.size() == 1);
  CHECK(figures[0].name == "label");
  CHECK(figures[0].information[0] == Approx(std::log(2.0)));
}

TEST_CASE("information of Gaussian posteriors has its closed form", "[figures]") {
  // Means ~ N(0, s²) and variance v: I(x; z) = ½ log(1 + s²/v), and z ~ N(0, s² + v).
  const double s2 = 0.8;
  const double v = 0.2;
  std::mt19937 bits(5);
  std::normal_distribution<double> normal(0.0, std::sqrt(s2));
  Posteriors posteriors{3000, 2, {}, {}};
  Floats mean;
  Floats logvar;
  for (int i = 0; i < 3000; ++i) {
    mean.push_back(static_cast<float>(normal(bits)));
    mean.push_back(0.0f);
    logvar.push_back(static_cast<float>(std::log(v)));
    logvar.push_back(0.0f);  // the second latent is the prior: it tells nothing
  }
  posteriors.mean = mean;
  posteriors.logvar = logvar;
  const AggregateFigures figures = aggregate_information(posteriors, 1, 1200);
  CHECK(figures.rows == 1200);
  // The summands deviate by about 0.6: 0.017 for the mean of 1200.
  CHECK(figures.information == Approx(0.5 * std::log(1.0 + s2 / v)).margin(0.06));
  CHECK(figures.marginal_kl == Approx(0.5 * (s2 + v - 1.0 - std::log(s2 + v))).margin(0.06));
  // Rows that are told apart without doubt: log M, the most that M rows can show.
  for (std::size_t i = 0; i < 3000; ++i) mean[2 * i] = static_cast<float>(i) * 100.0f;
  CHECK(aggregate_information(posteriors, 1, 50).information == Approx(std::log(50.0)).epsilon(1e-12));
  CHECK(aggregate_information({1, 2, mean, logvar}, 1, 50).information == Approx(0.0).margin(1e-12));
}

TEST_CASE("which label marks anomalies", "[figures]") {
  Dataset data = rows_only(4);
  EvaluateOptions options;
  CHECK_FALSE(anomaly_label(facts_of(data), options));
  options.anomaly_label = "bad";
  CHECK_THROWS_AS(anomaly_label(facts_of(data), options), ConfigError);
  data.set_labels({0, 1, 1, 0}, {"bad", "good"});
  CHECK(anomaly_label(facts_of(data), options) == 0);
  options.anomaly_label = "worse";
  CHECK_THROWS_AS(anomaly_label(facts_of(data), options), ConfigError);
  options.anomaly_label.reset();
  CHECK_FALSE(anomaly_label(facts_of(data), options));
  data.set_labels({0, 1, 1, 0}, {"0", "1"});
  CHECK(anomaly_label(facts_of(data), options) == 1);
  data.set_labels({1, 1, 1, 1}, {"0", "1"});
  CHECK_FALSE(anomaly_label(facts_of(data), options));
  options.anomaly_label = "1";
  CHECK_THROWS_AS(anomaly_label(facts_of(data), options), ConfigError);
}

TEST_CASE("bits per dimension count in the data's own units", "[figures]") {
  ModelInfo info;
  info.model.input_dim = 2;
  info.model.likelihood = Likelihood::bernoulli;
  info.scale = 1.0f / 255.0f;
  CHECK(bits_per_dimension(2.0 * std::log(2.0), info) == Approx(1.0));
  info.model.likelihood = Likelihood::gaussian;
  CHECK(bits_per_dimension(0.0, info) == Approx(std::log2(255.0)));
  // y = (x/255 − m)·(4, ½): the Jacobian of a row is 4·½/255².
  info.mean = {0.3f, 0.1f};
  info.inverse_deviation = {4.0f, 0.5f};
  CHECK(bits_per_dimension(2.0 * std::log(2.0), info) == Approx(1.0 + std::log2(255.0) - 0.5));
}

}  // namespace vaecuda
