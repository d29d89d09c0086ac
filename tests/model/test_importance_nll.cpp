// The log-likelihood by importance sampling, against models whose likelihood has a closed form.
#include <cmath>
#include <cstdint>
#include <vector>

#include "host/evaluate/importance_nll.hpp"
#include "support/catch.hpp"
#include "support/executor.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "vaecuda/error.hpp"

using namespace vaecuda;

namespace {

constexpr std::int64_t kColumns = 4;
constexpr std::int64_t kLatents = 2;
constexpr double kSigma = 0.5;
// Orthogonal columns, so that the posterior has a diagonal covariance.
constexpr double kLoading[kColumns][kLatents] = {{0.9, 0.4}, {-0.9, 0.4}, {0.3, -1.2}, {0.3, 1.2}};
constexpr double kOffset[kColumns] = {0.1, -0.2, 0.3, 0.0};

double squared_length(int j) {
  double sum = 0.0;
  for (const auto& row : kLoading) sum += row[j] * row[j];
  return sum;
}

/// Probabilistic PCA as a VAE without hidden layers: x = W z + b + σ·noise. `blunt` widens the encoder's
/// posterior beyond the true one.
ModelFile linear_model(double blunt) {
  ModelFile file;
  file.model.input_dim = kColumns;
  file.model.hidden.clear();
  file.model.latent_dim = kLatents;
  file.model.likelihood = Likelihood::gaussian;
  file.model.sigma = kSigma;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.assign(static_cast<std::size_t>(layout.size), 0.0f);
  const auto set = [&](std::int64_t place, double value) {
    file.parameters[static_cast<std::size_t>(place)] = static_cast<float>(value);
  };
  for (int j = 0; j < kLatents; ++j) {
    const double precision = squared_length(j) + kSigma * kSigma;
    for (int c = 0; c < kColumns; ++c) {
      set(layout.output.weight + c * kLatents + j, kLoading[c][j]);
      set(layout.head.weight + j * kColumns + c, kLoading[c][j] / precision);
    }
    double shift = 0.0;
    for (int c = 0; c < kColumns; ++c) shift -= kLoading[c][j] * kOffset[c] / precision;
    set(layout.head.bias + j, shift);
    set(layout.head.bias + kLatents + j, std::log(kSigma * kSigma / precision) + blunt);
  }
  for (int c = 0; c < kColumns; ++c) set(layout.output.bias + c, kOffset[c]);
  return file;
}

/// −log N(x; b, W Wᵀ + σ² I): along each loading the variance is |w|² + σ², across them σ².
double exact_nll(const float* x) {
  double across = 0.0;
  for (int c = 0; c < kColumns; ++c) {
    const double d = static_cast<double>(x[c]) - kOffset[c];
    across += d * d;
  }
  double nll = 0.5 * kColumns * std::log(2.0 * 3.14159265358979323846);
  for (int j = 0; j < kLatents; ++j) {
    double along = 0.0;
    for (int c = 0; c < kColumns; ++c) along += (static_cast<double>(x[c]) - kOffset[c]) * kLoading[c][j];
    along = along * along / squared_length(j);
    const double variance = squared_length(j) + kSigma * kSigma;
    nll += 0.5 * along / variance + 0.5 * std::log(variance);
    across -= along;
  }
  return nll + 0.5 * across / (kSigma * kSigma) + 0.5 * (kColumns - kLatents) * std::log(kSigma * kSigma);
}

Dataset rows_of(std::int64_t count) {
  return Dataset(test::noise(count * kColumns, 55, 2.0), count, kColumns);
}

}  // namespace

TEST_CASE("the loadings of the closed form are orthogonal", "[importance]") {
  double product = 0.0;
  for (const auto& row : kLoading) product += row[0] * row[1];
  // Only then is the posterior's covariance diagonal, as an encoder can express it.
  REQUIRE(std::fabs(product) < 1e-12);
}

TEST_CASE("under the true posterior every sample gives the exact likelihood", "[importance]") {
  const Dataset data = rows_of(37);
  for (const test::Executor& executor : test::executors()) {
    const auto backend = executor.make();
    for (const std::int64_t samples : {1, 3, 40}) {
      INFO(executor.name << ", K " << samples);
      const ImportanceNll result = importance_nll(*backend, linear_model(0.0), data, samples, 5);
      REQUIRE(result.nll.size() == 37);
      double mean = 0.0;
      for (std::size_t r = 0; r < 37; ++r) {
        const double exact = exact_nll(data.f32().data() + r * kColumns);
        mean += exact / 37.0;
        CHECK(result.nll[r] == Approx(exact).epsilon(2e-5).margin(2e-5));
      }
      CHECK(result.mean == Approx(mean).epsilon(2e-5));
      double squares = 0.0;
      for (const double nll : result.nll) squares += (nll - result.mean) * (nll - result.mean);
      CHECK(result.standard_error == Approx(std::sqrt(squares / 36.0 / 37.0)));
    }
  }
}

TEST_CASE("under a wrong posterior the bound falls to the likelihood as samples are added", "[importance]") {
  const Dataset data = rows_of(60);
  const auto backend = make_cpu_backend(2);
  const ModelFile model = linear_model(1.5);  // 2.1 times too wide
  double exact = 0.0;
  for (std::size_t r = 0; r < 60; ++r) exact += exact_nll(data.f32().data() + r * kColumns) / 60.0;
  const double one = importance_nll(*backend, model, data, 1, 5).mean;
  const double few = importance_nll(*backend, model, data, 3, 5).mean;
  const double many = importance_nll(*backend, model, data, 3000, 5).mean;
  CHECK(one > few + 0.5);
  CHECK(few > exact + 0.03);
  // The weights' relative deviation is about 2, so the mean over 60 rows is off by 2/√(3000·60) at the most.
  CHECK(many == Approx(exact).margin(0.02));
}

TEST_CASE("a deep model's bound is the oracle's", "[importance]") {
  // Few rows and many samples: a block whose decoder has far more rows than its encoder.
  constexpr std::int64_t kRows = 5;
  constexpr std::uint64_t kSeed = 8;
  constexpr std::uint32_t kEvaluatePurpose = 5;
  RunConfig config = test::small_config(11, {40, 33}, 3, 1);
  config.objective.kind = ObjectiveKind::iwae;
  ModelFile model;
  model.model = config.model;
  const ParameterLayout layout = make_layout(model.model);
  model.parameters.resize(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, model.model, 4, model.parameters.data());
  std::vector<float> values = test::noise(kRows * 11, 81, 0.5);
  for (float& v : values) v += 0.5f;
  const Dataset data(values, kRows, 11);
  for (const test::Executor& executor : test::executors()) {
    for (const std::int64_t samples : {1, 40, 300}) {
      INFO(executor.name << ", K " << samples);
      const ImportanceNll result = importance_nll(*executor.make(), model, data, samples, kSeed);
      const oracle::Matrix epsilon = oracle::normals(kSeed, kEvaluatePurpose, 0, kRows * samples, 3);
      const oracle::Objective expected =
          oracle::objective(test::network_of(layout, config), test::to_doubles(model.parameters),
                            oracle::from_floats(values, kRows, 11), epsilon);
      CHECK(result.mean == Approx(expected.loss).epsilon(3e-6));
    }
  }
}

TEST_CASE("a row's likelihood depends on its place and the seed alone", "[importance]") {
  const ModelFile model = linear_model(1.0);
  const Dataset many = rows_of(400);
  const Dataset few(std::vector<float>(many.f32().begin(), many.f32().begin() + 150 * kColumns), 150,
                    kColumns);
  const auto backend = make_cpu_backend(1);
  const ImportanceNll all = importance_nll(*backend, model, many, 7, 5);
  const ImportanceNll some = importance_nll(*make_cpu_backend(3), model, few, 7, 5);
  CHECK(std::vector<double>(all.nll.begin(), all.nll.begin() + 150) == some.nll);
  CHECK(importance_nll(*backend, model, few, 7, 6).nll != some.nll);
}

TEST_CASE("models and data that have no likelihood are refused", "[importance]") {
  const auto backend = make_cpu_backend(1);
  ModelFile model = linear_model(0.0);
  CHECK_THROWS_AS(importance_nll(*backend, model, Dataset(std::vector<float>{1.0f, 2.0f}, 1, 2), 5, 1),
                  ConfigError);
  CHECK_THROWS_AS(importance_nll(*backend, model, rows_of(3), 0, 1), ConfigError);
  model.model.latent = LatentKind::deterministic;
  CHECK_THROWS_AS(importance_nll(*backend, model, rows_of(3), 5, 1), ConfigError);
}
