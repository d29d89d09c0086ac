// What the end of a run tells of it, and that it is silent about runs that learned.
#include <cmath>
#include <string>
#include <vector>

#include "host/train/column_model.hpp"
#include "host/train/diagnosis.hpp"
#include "support/words.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {
namespace {

constexpr double kHalfLogTwoPi = 0.91893853320467274;

/// Two columns with means 1 and 10, deviations 1 and 4.
Dataset two_columns() {
  return Dataset(std::vector<float>{0.0f, 6.0f, 2.0f, 14.0f, 0.0f, 14.0f, 2.0f, 6.0f}, 4, 2);
}

struct Run {
  RunConfig config;
  PreparedData data;
  Outcome outcome;
};

Run gaussian_run() {
  Run run;
  run.config.model.input_dim = 2;
  run.config.model.likelihood = Likelihood::gaussian;
  run.config.model.sigma = 1.0;
  run.config.model.latent_dim = 2;
  run.data.train = two_columns();
  run.outcome.steps = 100;
  run.outcome.train = {4.0, 3.0, 1.0, std::nullopt};
  return run;
}

std::string all_of(const Run& run) {
  std::string all;
  for (const std::string& line : diagnose(run.config, run.data, run.outcome)) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("the columns alone have the likelihood of their means", "[diagnosis]") {
  const Dataset data = two_columns();
  Preparation plain;
  ModelConfig model;
  model.likelihood = Likelihood::gaussian;
  model.sigma = 2.0;
  const ColumnModel fixed(data, plain, model);
  CHECK(fixed.deviations()[0] == Approx(1.0));
  CHECK(fixed.deviations()[1] == Approx(4.0));
  CHECK(fixed.loss(data) == Approx(0.5 * (1.0 + 16.0) / 4.0 + 2.0 * std::log(2.0) + 2.0 * kHalfLogTwoPi));
  model.sigma_source = SigmaSource::head;
  CHECK(ColumnModel(data, plain, model).loss(data) == Approx(1.0 + std::log(4.0) + 2.0 * kHalfLogTwoPi));
  model.sigma_source = SigmaSource::learned;
  CHECK(ColumnModel(data, plain, model).loss(data) == Approx(1.0 + std::log(8.5) + 2.0 * kHalfLogTwoPi));
  model.likelihood = Likelihood::laplace;
  model.sigma_source = SigmaSource::fixed;
  CHECK(ColumnModel(data, plain, model).loss(data) ==
        Approx(std::sqrt(2.0) * 5.0 / 2.0 + 2.0 * std::log(std::sqrt(2.0) * 2.0)));

  // Three of four rows are dark in the first column, none in the second.
  const Dataset bits(std::vector<float>{1.0f, 0.0f, 1.0f, 0.0f, 1.0f, 0.0f, 0.0f, 0.0f}, 4, 2);
  ModelConfig bernoulli;
  const double never = -std::log(1.0 - 0.125);  // half a row in four
  const double first = -0.75 * std::log(0.75) - 0.25 * std::log(0.25);
  CHECK(ColumnModel(bits, plain, bernoulli).loss(bits) == Approx(first + never));
  const Dataset grey(std::vector<float>{0.75f, 0.0f, 0.75f, 0.0f}, 2, 2);
  plain.binarize = Binarize::stochastic;
  CHECK(ColumnModel(grey, plain, bernoulli).deviations()[0] == Approx(std::sqrt(0.75 * 0.25)));
}

TEST_CASE("what a run's losses show is told with its remedy", "[diagnosis]") {
  Run run = gaussian_run();
  CHECK(all_of(run).empty());

  SECTION("no better than the columns alone, with the weight that the KL has") {
    // 8.5 + 2 · 0.919 nats are theirs.
    run.outcome.train = {0.0, 9.0, 2.0, std::nullopt};
    CHECK(contains(all_of(run), "its loss on the training rows is 11 nats, theirs 10.3379"));
    run.config.objective.beta = 0.1;
    CHECK(all_of(run).empty());
    run.config.objective.beta = 10.0;
    run.config.objective.beta_schedule = {BetaScheduleKind::linear, 1000, 0.5};  // 0.99 at step 99
    CHECK(contains(all_of(run), "is 10.98 nats"));
    run.outcome.steps = 10;
    CHECK(all_of(run).empty());
  }
  SECTION("a capacity that is far off is no fault") {
    run.config.objective.beta = 100.0;
    run.config.objective.capacity = 2.0;
    run.outcome.train = {0.0, 9.0, 2.0, std::nullopt};
    CHECK(all_of(run).empty());
    run.outcome.train.kl = 0.5;  // |KL − C| is what counts: 150 of 200 nats
    CHECK(all_of(run).empty());
    run.outcome.train.kl = 4.1;
    CHECK(contains(all_of(run), "no better than the columns"));
  }
  SECTION("out of reach of sigma") {
    run.config.model.sigma = 0.01;
    run.outcome.train.reconstruction = 2.0 * (0.5 * 11.0 * 11.0 + std::log(0.01) + kHalfLogTwoPi);
    CHECK(contains(all_of(run), "the values lie 11 deviations from what the model decodes"));
    CHECK(contains(all_of(run), "Column 1 alone has a deviation of 4; train with --standardize"));
    run.config.data.standardize = true;
    CHECK(contains(all_of(run), "give a larger --sigma"));
    run.outcome.train.reconstruction = 2.0 * (0.5 * 9.0 * 9.0 + std::log(0.01) + kHalfLogTwoPi);
    CHECK(all_of(run).empty());
    run.config.model.sigma_source = SigmaSource::learned;
    run.outcome.train.reconstruction = 0.0;
    CHECK(all_of(run).empty());
  }
  SECTION("held-out rows decide, validation first") {
    run.data.valid = two_columns();
    run.data.test = two_columns();
    run.outcome.valid = LossTerms{100.0, 99.0, 1.0, std::nullopt};
    run.outcome.test = LossTerms{4.0, 3.0, 1.0, std::nullopt};
    CHECK(contains(all_of(run), "on the validation rows is 100 nats"));
    run.outcome.valid.reset();
    CHECK(all_of(run).empty());
    run.outcome.test->loss = static_cast<double>(INFINITY);
    CHECK(contains(all_of(run), "the loss of the test rows is not finite"));
  }
  SECTION("collapse, of latents and of codes") {
    run.outcome.train = {3.0, 3.0, 0.12, std::nullopt};
    CHECK(all_of(run).empty());
    run.outcome.train.latents = LatentTerms{{0.11, 0.01}, 1};
    CHECK(all_of(run).empty());
    run.outcome.train.latents = LatentTerms{{0.06, 0.06}, 1};
    CHECK(contains(all_of(run), "none of the 2 latents holds 0.1 nats (0.12 in all)"));
    run.config.model.latent = LatentKind::vq;
    run.config.model.codebook_size = 16;
    run.outcome.train.quantization = QuantizationTerms{0.1, 1.2, 1.1};
    CHECK(contains(all_of(run), "one code of 16 (perplexity 1.10)"));
    run.outcome.train.quantization->least_perplexity = 2.0;
    CHECK(all_of(run).empty());
  }
}

TEST_CASE("a run's warnings are in its summary and go to its observer", "[diagnosis]") {
  const TempDir dir;
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=200";
  config.model.hidden = {8};
  config.model.latent_dim = 2;
  config.train.device = "cpu";
  config.train.steps = 1;
  config.optimizer.lr = 1e-6;
  config.output.dir = (dir.path() / "run").string();
  std::vector<std::string> said;
  TrainObserver observer;
  observer.message = [&](const std::string& line) { said.push_back(line); };
  const TrainSummary summary = Trainer(config, observer).run();
  REQUIRE_FALSE(summary.warnings.empty());
  CHECK(contains(summary.warnings[0], "no better than the columns' means alone"));
  REQUIRE_FALSE(said.empty());
  CHECK(said.back() == "warning: " + summary.warnings.back());

  config.train.steps = 600;
  config.optimizer.lr = 3e-3;
  config.output.dir = (dir.path() / "good").string();
  CHECK(Trainer(config).run().warnings.empty());
}

}  // namespace vaecuda::test
