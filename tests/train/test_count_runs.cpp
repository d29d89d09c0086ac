// Runs on counts: what they learn, what they refuse, and what the model then gives.
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/op_bench.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda::test {
namespace {

constexpr std::int64_t kColumns = 24;
constexpr double kLibrary = 60.0;

/// Two groups of rows, whose rates are each the other's reversed; even rows are of the first.
double rate_of(std::int64_t row, std::int64_t column) {
  const std::int64_t at = row % 2 == 0 ? column : kColumns - 1 - column;
  return kLibrary * 2.0 * static_cast<double>(at) / static_cast<double>(kColumns * (kColumns - 1));
}

/// The count at which the distribution function of the Poisson passes a uniform number.
float poisson_at(double uniform, double mean) {
  double p = std::exp(-mean);
  int x = 0;
  for (double below = p; below < uniform && x < 1000; below += p) p *= mean / ++x;
  return static_cast<float>(x);
}

struct Drawn {
  Dataset rows;
  double nll = 0.0;  ///< a row under the rates that it was drawn from, on average
};

Drawn draw(std::int64_t rows, std::uint64_t seed) {
  const std::vector<float> uniform = noise(rows * kColumns, seed, 0.5);
  std::vector<float> values;
  double nll = 0.0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < kColumns; ++c) {
      const double mean = rate_of(r, c);
      const float x = poisson_at(static_cast<double>(uniform[values.size()]) + 0.5, mean);
      values.push_back(x);
      const auto k = static_cast<double>(x);
      if (mean > 0.0) nll += mean - k * std::log(mean) + std::lgamma(k + 1.0);
    }
  }
  return {Dataset(values, rows, kColumns), nll / static_cast<double>(rows)};
}

RunConfig count_config(const TempDir& dir, Likelihood likelihood) {
  RunConfig config;
  config.model.hidden = {32};
  config.model.latent_dim = 2;
  config.model.likelihood = likelihood;
  config.optimizer.lr = 3e-3;
  config.train.device = "cpu";
  config.train.batch_size = 64;
  config.train.epochs = 60;
  config.output.dir = (dir.path() / "run").string();
  return config;
}

std::string refused(RunConfig config, Dataset rows) {
  try {
    Trainer(std::move(config), RunData{std::move(rows), {}, {}});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Dataset of(std::vector<float> values) {
  const auto rows = static_cast<std::int64_t>(values.size() / 2);
  return {std::move(values), rows, 2};
}

}  // namespace

TEST_CASE("every likelihood of counts learns", "[train][counts]") {
  const Drawn train = draw(1500, 5);
  const Drawn test = draw(500, 6);
  for (const Likelihood likelihood :
       {Likelihood::poisson, Likelihood::nb, Likelihood::zinb, Likelihood::multinomial}) {
    const TempDir dir;
    RunConfig config = count_config(dir, likelihood);
    config.model.input_transform = InputTransform::log1p;
    INFO(traits_of(likelihood).name);
    const TrainSummary summary = Trainer(config, RunData{train.rows, {}, test.rows}).run();
    REQUIRE(summary.test);
    // log 2 nats say which group a row is of. Given the row's sum its counts are multinomial, whose NLL is
    // that of the sum less: ½ log(2π e 60) nats of a Poisson.
    const double sum = 0.5 * std::log(2.0 * std::acos(-1.0) * std::exp(1.0) * kLibrary);
    const double known = likelihood == Likelihood::multinomial
                             ? test.nll - sum
                             : test.nll - sum + 0.5 * std::log(2.0 * std::acos(-1.0) * kLibrary);
    CHECK(summary.test->loss > known);
    CHECK(summary.test->loss < known + std::log(2.0) + 1.2);
    CHECK(summary.test->kl > 0.5);
  }
}

TEST_CASE("a model of counts keeps a row's sum, and gives the training rows' where there is no row",
          "[train][counts]") {
  const TempDir dir;
  RunConfig config = count_config(dir, Likelihood::nb);
  config.model.dispersion = Dispersion::entry;
  config.train.epochs = 3;
  const Drawn train = draw(300, 7);
  const TrainSummary summary = Trainer(config, RunData{train.rows, {}, {}}).run();
  const ModelFile file = load_model(summary.model);
  const auto all = train.rows.f32();
  const double mean = std::accumulate(all.begin(), all.end(), 0.0) / 300.0;
  CHECK(file.model.row_sum == Approx(mean));
  CHECK(file.model.dispersion == Dispersion::entry);

  const Vae vae = Vae::load(summary.model);
  const auto row = all.subspan(0, kColumns);
  const std::vector<float> back = vae.reconstruct(row);
  CHECK(std::accumulate(back.begin(), back.end(), 0.0) ==
        Approx(std::accumulate(row.begin(), row.end(), 0.0)).epsilon(1e-5));
  const std::vector<float> decoded = vae.decode(std::vector<float>{0.3f, -0.2f});
  CHECK(std::accumulate(decoded.begin(), decoded.end(), 0.0) == Approx(mean).epsilon(1e-5));
  // What the training refuses, the model refuses as well.
  std::vector<float> odd(row.begin(), row.end());
  odd[3] = 0.5f;
  CHECK_THROWS_WITH(vae.reconstruct(odd), Catch::Matchers::Contains("column 3") &&
                                              Catch::Matchers::Contains("the value 0.5 is no count"));
}

TEST_CASE("values that are no counts are refused with their place", "[train][counts]") {
  const TempDir dir;
  const RunConfig config = count_config(dir, Likelihood::nb);
  CHECK(refused(config, of({1, 2, 3, -4})).find("row 1, column 1: the value -4 is no count") !=
        std::string::npos);
  CHECK(refused(config, of({1, 2, 30.5f, 4})).find("row 1, column 0: the value 30.5 is no count") !=
        std::string::npos);
  CHECK(refused(config, of({1, 2, 30.5f, 4})).find("--likelihood gaussian") != std::string::npos);
  CHECK(refused(config, of({0.0f, 2.3978953f, 0.6931472f, 0}))
            .find("log-normalized counts: give the raw ones") != std::string::npos);
  CHECK(refused(config, of({2e8f, 2, 3, 4})).find("row 0, column 0") != std::string::npos);
}

TEST_CASE("what would change counts contradicts their likelihood", "[train][counts]") {
  const TempDir dir;
  const RunConfig config = count_config(dir, Likelihood::poisson);
  RunConfig standardized = config;
  standardized.data.standardize = true;
  CHECK(refused(standardized, of({1, 2, 3, 4})).find("--input-transform log1p") != std::string::npos);
  RunConfig scaled = config;
  scaled.data.scale = ScaleMode::by_255;
  CHECK(refused(scaled, of({1, 2, 3, 4})).find("--scale 255 contradict") != std::string::npos);
  RunConfig decayed = count_config(dir, Likelihood::nb);
  decayed.optimizer.weight_decay = 0.1;
  CHECK(refused(decayed, of({1, 2, 3, 4})).find("--dispersion entry") != std::string::npos);
  RunConfig dispersed = config;
  dispersed.model.dispersion = Dispersion::scalar;
  CHECK(refused(dispersed, of({1, 2, 3, 4})).find("poisson has no dispersion") != std::string::npos);
  RunConfig gaussian = count_config(dir, Likelihood::gaussian);
  gaussian.model.input_transform = InputTransform::log1p;
  CHECK(refused(gaussian, of({1, 2, 3, 4})).find("needs a likelihood of counts") != std::string::npos);
  RunConfig shared = count_config(dir, Likelihood::multinomial);
  shared.model.rate = Rate::softplus;
  CHECK(refused(shared, of({1, 2, 3, 4})).find("has no effect on --likelihood multinomial") !=
        std::string::npos);
}

TEST_CASE("bytes are counts, whatever their largest", "[train][counts]") {
  const TempDir dir;
  RunConfig config = count_config(dir, Likelihood::poisson);
  config.train.epochs = 1;
  const std::vector<std::uint8_t> values = {0, 255, 3, 7, 0, 0, 200, 1};
  std::string said;
  TrainObserver observer;
  observer.message = [&](const std::string& line) { said += line + "\n"; };
  const TrainSummary summary = Trainer(config, RunData{Dataset(values, 4, 2), {}, {}}, observer).run();
  CHECK(load_model(summary.model).preparation.scale == 1.0f);
  CHECK(said.find("1 of 4 training rows hold no count at all") != std::string::npos);
  CHECK(std::isfinite(summary.train.loss));
}

}  // namespace vaecuda::test
