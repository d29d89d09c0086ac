// A model's evaluation as a whole, against a model whose figures have closed forms.
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "host/evaluate/moments.hpp"
#include "host/model/model_file.hpp"
#include "support/catch.hpp"
#include "support/linear_vae.hpp"
#include "support/small_vae.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/evaluate.hpp"

namespace vaecuda {
namespace {

using test::LinearVae;
using test::open_model;
using Floats = std::vector<float>;
constexpr std::int64_t kColumns = LinearVae::kColumns;

Dataset rows_of_model(std::int64_t rows) {
  return Dataset(LinearVae::draw_rows(rows, 17), rows, kColumns);
}

std::span<const float> row_of(const Dataset& data, std::int64_t row) {
  return data.f32().subspan(static_cast<std::size_t>(row * kColumns), kColumns);
}

void check_same(const Estimate& a, const Estimate& b) {
  CHECK(a.mean == b.mean);
  CHECK(a.standard_error == b.standard_error);
}

}  // namespace

TEST_CASE("the terms of the ELBO have the expectation that they should have", "[evaluate]") {
  const Dataset data = rows_of_model(4000);
  for (const double shift : {0.0, 0.4}) {
    const LinearVae linear(shift, shift == 0.0 ? 1.0 : 2.5);
    EvaluateOptions options;
    options.samples = 0;
    const Evaluation result = evaluate(open_model(linear.file()), data, options);
    REQUIRE(result.rows == 4000);
    REQUIRE(result.per_row.reconstruction.size() == 4000);
    Moments difference;  // only the drawn z makes it
    Moments kl;
    Moments squared_error;
    Moments nll;
    for (std::int64_t row = 0; row < data.rows(); ++row) {
      const auto i = static_cast<std::size_t>(row);
      const auto x = row_of(data, row);
      difference.add(static_cast<double>(result.per_row.reconstruction[i]) - linear.reconstruction(x));
      kl.add(linear.kl(x));
      squared_error.add(linear.squared_error(x));
      nll.add(LinearVae::exact_nll(x));
      REQUIRE(static_cast<double>(result.per_row.kl[i]) == Approx(linear.kl(x)).epsilon(1e-5).margin(1e-5));
      REQUIRE(static_cast<double>(result.per_row.squared_error[i]) ==
              Approx(linear.squared_error(x)).epsilon(1e-4).margin(1e-6));
    }
    INFO("shift " << shift);
    // Five standard errors: the seed is fixed, so this either holds for ever or never.
    CHECK(std::fabs(difference.mean()) < 5.0 * difference.estimate().standard_error);
    CHECK(result.kl.mean == Approx(kl.mean()).epsilon(1e-5));
    CHECK(result.kl.standard_error == Approx(kl.estimate().standard_error).epsilon(1e-4));
    CHECK(result.squared_error.mean == Approx(squared_error.mean()).epsilon(1e-5));
    CHECK(result.negative_elbo.mean == Approx(result.reconstruction.mean + result.kl.mean));
    REQUIRE(result.latents.size() == 1);
    CHECK(result.latents[0].kl == Approx(result.kl.mean).epsilon(1e-5));
    CHECK(result.latents[0].active);
    CHECK(result.active_units == 1);
    CHECK(result.negative_elbo_bits == Approx(result.negative_elbo.mean / 3.0 / std::log(2.0)));
    // The exact posterior leaves no gap but the noise of one z per row; a wrong one leaves its KL to the
    // exact.
    const double gap = result.negative_elbo.mean - nll.mean();
    if (shift == 0.0) {
      CHECK(std::fabs(gap) < 5.0 * difference.estimate().standard_error);
    } else {
      const double exact = LinearVae(0.0, 1.0).posterior_variance();
      const double expected = 0.5 * (2.5 + shift * shift / exact - 1.0 - std::log(2.5));
      CHECK(gap == Approx(expected).margin(5.0 * difference.estimate().standard_error));
    }
  }
}

TEST_CASE("the importance-sampled likelihood agrees with the exact one", "[evaluate]") {
  const Dataset data = rows_of_model(400);
  EvaluateOptions options;
  options.samples = 40;
  const Evaluation exact = evaluate(open_model(LinearVae(0.0, 1.0).file()), data, options);
  REQUIRE(exact.per_row.nll.size() == 400);
  for (std::int64_t row = 0; row < 400; ++row) {  // every weight of the exact posterior is p(x)
    REQUIRE(static_cast<double>(exact.per_row.nll[static_cast<std::size_t>(row)]) ==
            Approx(LinearVae::exact_nll(row_of(data, row))).epsilon(2e-5).margin(2e-5));
  }

  const double shift = 0.4;
  const double widening = 2.5;
  const LinearVae wrong(shift, widening);
  options.samples = 500;
  std::vector<PassProgress> told;
  options.progress = [&told](const PassProgress& now) { told.push_back(now); };
  const Evaluation result = evaluate(open_model(wrong.file()), data, options);
  REQUIRE(told.size() >= 4);
  for (std::size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].total == 400);
    REQUIRE(told[i].share);
    if (i > 0) CHECK(*told[i].share >= *told[i - 1].share);
  }
  CHECK(told.back().rows == 400);
  CHECK(*told.back().share == Approx(1.0));
  Moments error;
  Moments square;
  Moments nll;
  for (std::int64_t row = 0; row < 400; ++row) {
    const auto estimate = static_cast<double>(result.per_row.nll[static_cast<std::size_t>(row)]);
    const double difference = estimate - LinearVae::exact_nll(row_of(data, row));
    error.add(difference);
    square.add(difference * difference);
    nll.add(estimate);
  }
  // The relative variance of the weights of N(m, v) under N(m + shift, r v) is
  // r/√(2r − 1) · e^(shift²/(v (2r − 1))) − 1; a row's estimate has bias ρ/(2S) and variance ρ/S to first
  // order.
  const double v = LinearVae(0.0, 1.0).posterior_variance();
  const double spread = 2.0 * widening - 1.0;
  const double rho = widening / std::sqrt(spread) * std::exp(shift * shift / (v * spread)) - 1.0;
  const double standard_error = std::sqrt(rho / 500.0 / 400.0);
  CHECK(std::fabs(error.mean() - rho / 1000.0) < 5.0 * standard_error);
  // 400 squares of a normal: a relative deviation of √(2/400) = 7 %.
  CHECK(square.mean() == Approx(rho / 500.0).epsilon(0.35));
  CHECK(result.nll->mean == nll.mean());
  CHECK(result.nll->standard_error == nll.estimate().standard_error);
  CHECK(result.samples == 500);
  CHECK(*result.nll_bits == Approx(nll.mean() / 3.0 / std::log(2.0)));
  // The bound lies above, by the KL of the wrong posterior to the exact one.
  CHECK(result.negative_elbo.mean > result.nll->mean + 0.5);
  options.samples = 0;
  CHECK_FALSE(evaluate(open_model(wrong.file()), data, options).nll);
}

TEST_CASE("figures do not depend on batch size or threads", "[evaluate]") {
  const Dataset data = rows_of_model(700);
  const ModelFile file = LinearVae(0.2, 1.5).file();
  EvaluateOptions options;
  options.samples = 7;
  const Evaluation one = evaluate(open_model(file, 1, 1), data, options);
  const Evaluation other = evaluate(open_model(file, 512, 3), data, options);
  CHECK(one.per_row.reconstruction == other.per_row.reconstruction);
  CHECK(one.per_row.kl == other.per_row.kl);
  CHECK(one.per_row.nll == other.per_row.nll);
  CHECK(one.per_row.squared_error == other.per_row.squared_error);
  CHECK(one.per_row.norm == other.per_row.norm);
  check_same(one.negative_elbo, other.negative_elbo);
  check_same(one.squared_error, other.squared_error);
  CHECK(one.latents[0].variance == other.latents[0].variance);
  CHECK(one.aggregate->information == other.aggregate->information);
  options.seed = 99;
  const Evaluation reseeded = evaluate(open_model(file), data, options);
  CHECK(reseeded.seed == 99);
  CHECK(one.seed == file.seed);
  CHECK(reseeded.per_row.reconstruction != one.per_row.reconstruction);
  CHECK(reseeded.per_row.kl == one.per_row.kl);
  CHECK(reseeded.per_row.nll != one.per_row.nll);
}

TEST_CASE("rows that are read from a file four times give the figures of rows in memory", "[evaluate]") {
  const Dataset data = rows_of_model(150);
  const test::TempDir folder;
  std::string table = "a,b,c,label\n";
  for (std::int64_t row = 0; row < data.rows(); ++row) {
    for (const float value : row_of(data, row)) table += fmt::format("{},", value);
    table += row % 7 == 0 ? "1\n" : "0\n";
  }
  DataSource source;
  source.path = folder.path() / "rows.csv";
  std::ofstream(source.path) << table;
  const Dataset loaded = load_dataset(source);
  const Vae vae = open_model(LinearVae(0.3, 1.2).file(), 32);
  EvaluateOptions options;
  options.samples = 4;
  int opened = 0;
  const RowOpener open = [&] {
    ++opened;
    return open_rows(source);
  };
  const Evaluation streamed = evaluate(vae, open, options);
  const Evaluation whole = evaluate(vae, loaded, options);
  CHECK(opened == 4);
  CHECK(streamed.rows == 150);
  CHECK(streamed.per_row.reconstruction == whole.per_row.reconstruction);
  CHECK(streamed.per_row.nll == whole.per_row.nll);
  CHECK(streamed.per_row.norm == whole.per_row.norm);
  CHECK(streamed.aggregate->information == whole.aggregate->information);
  REQUIRE(streamed.factors.size() == 1);
  CHECK(streamed.factors[0].information == whole.factors[0].information);
  REQUIRE(streamed.anomalies);
  CHECK(streamed.anomalies->anomalies == 22);
  CHECK(streamed.anomalies->scores[0].roc_auc == whole.anomalies->scores[0].roc_auc);
}

TEST_CASE("rows that change while they are evaluated are refused", "[evaluate]") {
  const Vae vae = open_model(LinearVae(0.0, 1.0).file());
  const Dataset before = rows_of_model(20);
  const Dataset after = rows_of_model(19);
  for (int change = 1; change < 4; ++change) {
    int opened = 0;
    const RowOpener open = [&] { return rows_of(opened++ < change ? before : after); };
    EvaluateOptions options;
    options.samples = 2;
    CHECK_THROWS_AS(evaluate(vae, open, options), FileError);
  }
}

TEST_CASE("errors and norms are in prepared units, whatever the raw ones", "[evaluate]") {
  // The raw rows are such that the preparation gives those of the model.
  const Dataset prepared = rows_of_model(300);
  ModelFile file = LinearVae(0.0, 1.0).file();
  EvaluateOptions options;
  options.samples = 3;
  const Evaluation expected = evaluate(open_model(file), prepared, options);
  file.preparation.scale = 0.5f;
  file.preparation.mean = {1.0f, -2.0f, 0.25f};
  file.preparation.inverse_deviation = {4.0f, 0.5f, 2.0f};
  Floats raw;
  for (std::size_t i = 0; i < prepared.f32().size(); ++i) {
    const std::size_t c = i % 3;
    raw.push_back((prepared.f32()[i] / file.preparation.inverse_deviation[c] + file.preparation.mean[c]) /
                  file.preparation.scale);
  }
  const Evaluation result = evaluate(open_model(file), Dataset(raw, 300, kColumns), options);
  CHECK(result.squared_error.mean == Approx(expected.squared_error.mean).epsilon(1e-4));
  CHECK(result.negative_elbo.mean == Approx(expected.negative_elbo.mean).epsilon(1e-4));
  // log2(4 · ½ · 2 / 8) / 3 bits of a row go into the units.
  CHECK(result.negative_elbo_bits == Approx(expected.negative_elbo_bits + 1.0 / 3.0).epsilon(1e-4));
  for (std::size_t row = 0; row < 300; ++row) {
    double norm = 0.0;
    for (std::size_t c = 0; c < 3; ++c) norm += std::pow(static_cast<double>(prepared.f32()[row * 3 + c]), 2);
    REQUIRE(static_cast<double>(result.per_row.norm[row]) == Approx(norm).epsilon(1e-4).margin(1e-5));
  }
}

TEST_CASE("anomalies are found by every score that shows them", "[evaluate]") {
  Floats values = LinearVae::draw_rows(200, 4);
  std::vector<std::int32_t> labels(200, 0);
  for (std::size_t row = 0; row < 200; row += 10) {
    labels[row] = 1;
    for (std::size_t c = 0; c < 3; ++c) values[row * 3 + c] += 20.0f;  // across the loading as well
  }
  Dataset data(values, 200, kColumns);
  data.set_labels(labels, {"0", "1"});
  EvaluateOptions options;
  options.samples = 5;
  const Evaluation result = evaluate(open_model(LinearVae(0.0, 1.0).file()), data, options);
  REQUIRE(result.anomalies);
  CHECK(result.anomalies->label == "1");
  CHECK(result.anomalies->anomalies == 20);
  std::vector<std::string> names;
  for (const ScoreFigures& score : result.anomalies->scores) {
    INFO(score.score);
    names.push_back(score.score);
    CHECK(score.roc_auc == 1.0);
    CHECK(score.average_precision == 1.0);
  }
  CHECK(names ==
        std::vector<std::string>{"negative_elbo", "reconstruction", "kl", "nll", "squared_error", "norm"});
}

TEST_CASE("a deterministic latent has no posterior to tell about", "[evaluate]") {
  ModelFile file;
  file.model.input_dim = kColumns;
  file.model.hidden.clear();
  file.model.latent_dim = 2;
  file.model.latent = LatentKind::deterministic;
  file.model.likelihood = Likelihood::gaussian;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.assign(static_cast<std::size_t>(layout.size), 0.0f);
  file.parameters[static_cast<std::size_t>(layout.network("encoder").top.weight)] =
      2.0f;  // z0 = 2 x0, z1 = 0
  const Dataset data = rows_of_model(500);
  const Evaluation result = evaluate(open_model(file), data);
  CHECK_FALSE(result.aggregate);
  CHECK_FALSE(result.nll);
  CHECK(result.kl.mean == 0.0);
  CHECK(result.active_units == 1);
  Moments column;
  for (std::int64_t row = 0; row < 500; ++row) column.add(2.0 * static_cast<double>(row_of(data, row)[0]));
  CHECK(result.latents[0].mean == Approx(column.mean()).epsilon(1e-5));
  CHECK(result.latents[0].variance == Approx(column.variance()).epsilon(1e-5));
  CHECK(result.latents[1].variance == 0.0);
}

TEST_CASE("an evaluation that makes no sense is refused", "[evaluate]") {
  const Vae vae = open_model(LinearVae(0.0, 1.0).file());
  const Dataset data = rows_of_model(5);
  EvaluateOptions options;
  options.samples = -1;
  CHECK_THROWS_AS(evaluate(vae, data, options), ConfigError);
  options = {};
  options.bins = 1;
  CHECK_THROWS_AS(evaluate(vae, data, options), ConfigError);
  options = {};
  options.active_threshold = static_cast<double>(NAN);
  CHECK_THROWS_AS(evaluate(vae, data, options), ConfigError);
  options = {};
  options.anomaly_label = "1";
  CHECK_THROWS_AS(evaluate(vae, data, options), ConfigError);
  CHECK_THROWS_AS(evaluate(vae, Dataset(Floats{}, 0, kColumns)), ConfigError);
  CHECK_THROWS_AS(evaluate(vae, Dataset(Floats{1.0f, 2.0f}, 1, 2)), FileError);
  CHECK_THROWS_AS(evaluate(vae, Dataset(Floats{1.0f, NAN, 2.0f}, 1, 3)), FileError);
}

}  // namespace vaecuda
