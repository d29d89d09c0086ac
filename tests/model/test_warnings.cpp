// Rows that overflow, rows that a model cannot know, and posteriors that say nothing.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "host/evaluate/information.hpp"
#include "host/evaluate/moments.hpp"
#include "host/evaluate/warnings.hpp"
#include "support/catch.hpp"
#include "support/linear_vae.hpp"
#include "support/small_vae.hpp"
#include "support/words.hpp"
#include "vaecuda/evaluate.hpp"

namespace vaecuda {
namespace {

using test::contains;
using test::LinearVae;
using test::open_model;
constexpr float kInfinite = std::numeric_limits<float>::infinity();

/// Ten rows of the model, of which the fourth holds `value`.
std::vector<float> rows_with(float value) {
  std::vector<float> rows = LinearVae::draw_rows(10, 3);
  for (std::size_t c = 0; c < LinearVae::kColumns; ++c) rows[3 * LinearVae::kColumns + c] = value;
  return rows;
}

}  // namespace

TEST_CASE("a row that no float carries through the network is infinitely unlikely", "[warnings]") {
  const Vae vae = open_model(LinearVae(0.2, 1.5).file());
  const std::vector<float> usual = LinearVae::draw_rows(10, 3);
  for (const float value : {1e20f, -1e20f, 3e38f, -3e38f}) {
    const std::vector<float> rows = rows_with(value);
    INFO(value);
    const ElboTerms terms = vae.elbo(rows, 1);
    CHECK(terms.reconstruction[3] + terms.kl[3] == kInfinite);
    const ElboTerms without = vae.elbo(usual, 1);
    for (const std::int64_t samples : {1, 5, 40}) {
      const std::vector<float> values = vae.log_likelihood(rows, samples, 1);
      const std::vector<float> expected = vae.log_likelihood(usual, samples, 1);
      CHECK(values[3] == -kInfinite);
      for (const std::size_t row : {0U, 2U, 4U, 9U}) {
        CHECK(values[row] == expected[row]);
        CHECK(terms.reconstruction[row] == without.reconstruction[row]);
      }
    }
    const Dataset data(rows, 10, LinearVae::kColumns);
    EvaluateOptions options;
    options.samples = 3;
    const Evaluation result = evaluate(vae, data, options);
    REQUIRE(result.warnings.size() == 1);
    CHECK(contains(result.warnings[0], "1 of 10 rows have a score that is not finite, row 3 first"));
    CHECK(result.nll->mean == static_cast<double>(kInfinite));
    CHECK(result.negative_elbo.mean == static_cast<double>(kInfinite));
    CHECK(result.squared_error.mean > 1e30);
    for (const float error : result.per_row.squared_error) CHECK_FALSE(std::isnan(error));
    CHECK_FALSE(std::isnan(result.latents[0].variance));
    CHECK_FALSE(std::isnan(result.aggregate->information));
  }
}

TEST_CASE("scores are watched for rows that the model cannot know", "[warnings]") {
  const Vae vae = open_model(LinearVae(0.0, 1.0).file());
  const auto far = static_cast<float>(kFarNats * LinearVae::kColumns);
  ScoreWatch watch(vae.info());
  CHECK(watch.warnings("x").empty());
  watch.add(std::vector<float>{0.0f, far, 2.0f * far});
  watch.add(std::vector<float>{1.0f});
  CHECK(watch.warnings("x").empty());  // two of four are not more than half
  watch.add(std::vector<float>{1e14f});
  REQUIRE(watch.warnings("rows.csv").size() == 1);
  CHECK(contains(watch.warnings("rows.csv")[0], "rows.csv: 3 of 5 rows score above 150 nats (up to 1e+14)"));
  watch.add(std::vector<float>{kInfinite, std::nanf("")});
  REQUIRE(watch.warnings("x").size() == 2);
  CHECK(contains(watch.warnings("x")[0], "2 of 7 rows have a score that is not finite, row 5 first"));
}

TEST_CASE("a collapsed posterior is told with what would help", "[warnings]") {
  ModelConfig model;
  model.latent_dim = 10;
  ObjectiveConfig objective;
  CHECK(collapse_warning(model, objective, 0.3, 1).empty());
  CHECK(collapse_warning(model, objective, 0.3, std::nullopt).empty());
  CHECK_FALSE(collapse_warning(model, objective, 0.05, std::nullopt).empty());
  const std::string line = collapse_warning(model, objective, 0.9, 0);
  CHECK(contains(line, "none of the 10 latents holds 0.1 nats (0.9 in all)"));
  CHECK(contains(line, "--beta-schedule linear:steps=N"));
  CHECK(contains(line, "--free-bits"));
  objective.beta = 4.0;
  model.likelihood = Likelihood::gaussian;
  model.sigma = 1.0;
  CHECK(contains(collapse_warning(model, objective, 0.0, std::nullopt), "lower --beta (it is 4)"));
  CHECK(contains(collapse_warning(model, objective, 0.0, std::nullopt), "a smaller --sigma (it is 1)"));
  objective.capacity = 0.5;  // asks for no more
  CHECK(collapse_warning(model, objective, 0.5, 0).empty());
  objective.capacity = 5.0;
  CHECK_FALSE(collapse_warning(model, objective, 0.5, 0).empty());
  objective.capacity = 0.0;
  model.latent = LatentKind::deterministic;
  CHECK(collapse_warning(model, objective, 0.0, std::nullopt).empty());
}

TEST_CASE("means of what is not finite are infinite, and it has a bin", "[warnings]") {
  constexpr double kEndless = std::numeric_limits<double>::infinity();
  for (const double value : {kEndless, -kEndless, std::nan("")}) {
    for (const int place : {0, 1, 4}) {
      Moments moments;
      for (int i = 0; i < 5; ++i) moments.add(i == place ? value : i);
      CHECK(moments.mean() == kEndless);
      CHECK(moments.estimate().standard_error == kEndless);
    }
  }
  const std::vector<float> values = {0.0f, kInfinite, 1.0f, std::nanf(""), 0.6f, -kInfinite};
  CHECK(equal_width_bins(values, 2) == std::vector<std::int32_t>{0, 0, 1, 0, 1, 0});
}

}  // namespace vaecuda
