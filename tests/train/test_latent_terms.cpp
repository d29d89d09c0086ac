// What an evaluation says of each latent: in the metrics and at the end of a run, and over any number of
// rows.
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "host/train/evaluator.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_vae.hpp"
#include "tests/support/source_at.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/evaluate.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

struct Kind {
  const char* name;
  std::function<void(RunConfig&)> apply;
};

RunConfig config_of(const fs::path& out, const Kind& kind) {
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=600";
  config.data.valid_fraction = 0.2;
  config.data.test_path = "shapes:16x16,n=300";
  config.model.hidden = {24};
  config.model.latent_dim = 12;
  config.train.device = "cpu";
  config.train.epochs = 3;
  config.optimizer.lr = 5e-3;
  config.output.dir = out.string();
  kind.apply(config);
  return config;
}

std::vector<nlohmann::json> evaluations_of(const fs::path& out) {
  std::ifstream file(out / "metrics.jsonl");
  std::vector<nlohmann::json> all;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.contains("valid")) all.push_back(json.at("valid"));
  }
  return all;
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

TEST_CASE("a run tells each latent's KL and how many are active", "[train][latents]") {
  const std::vector<Kind> kinds = {
      {"ELBO", [](RunConfig&) {}},
      {"log sigma", [](RunConfig& c) { c.model.logvar_head = LogvarHead::logsigma; }},
      {"a KL that switches latents off", [](RunConfig& c) { c.objective.beta = 20.0; }},
      {"IWAE", [](RunConfig& c) {
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.samples = 3;
       }}};
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    const TempDir dir;
    const RunConfig config = config_of(dir.path() / "run", kind);
    const TrainSummary summary = Trainer(config).run();
    REQUIRE(summary.test);
    REQUIRE(summary.test->latents);
    REQUIRE(summary.valid->latents);
    // The library's own evaluation of the saved model.
    RunOn on;
    on.device = "cpu";
    EvaluateOptions options;
    options.samples = 0;
    const Evaluation expected =
        evaluate(Vae::load(summary.model, on), load_dataset(source_at(config.data.test_path)), options);
    const std::vector<double>& kl = summary.test->latents->kl;
    REQUIRE(kl.size() == 12);
    for (std::size_t j = 0; j < 12; ++j) CHECK(kl[j] == Approx(expected.latents[j].kl).margin(1e-7));
    CHECK(summary.test->latents->active_units == expected.active_units);
    CHECK(sum_of(kl) == Approx(expected.kl.mean).epsilon(1e-5));

    const std::vector<nlohmann::json> lines = evaluations_of(config.output.dir);
    REQUIRE(lines.size() == 3);
    const nlohmann::json& best = lines.at(static_cast<std::size_t>(summary.best_epoch - 1));
    CHECK(best.at("kl_per_latent").get<std::vector<double>>() == summary.valid->latents->kl);
    CHECK(best.at("active_units").get<std::int64_t>() == summary.valid->latents->active_units);
  }
}

TEST_CASE("a strong KL leaves fewer latents active", "[train][latents]") {
  const TempDir dir;
  const auto active = [&](const char* name, double beta) {
    const Kind kind{name, [beta](RunConfig& c) { c.objective.beta = beta; }};
    return Trainer(config_of(dir.path() / name, kind)).run().test->latents->active_units;
  };
  const std::int64_t free = active("free", 0.1);
  CHECK(free >= 8);
  CHECK(active("bound", 100.0) < free);
}

TEST_CASE("latents without a posterior have no such figures", "[train][latents]") {
  const std::vector<Kind> kinds = {
      {"deterministic", [](RunConfig& c) { c.model.latent = LatentKind::deterministic; }},
      {"vq", [](RunConfig& c) { c.model.latent = LatentKind::vq; }}};
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    const TempDir dir;
    const RunConfig config = config_of(dir.path() / "run", kind);
    const TrainSummary summary = Trainer(config).run();
    CHECK_FALSE(summary.test->latents);
    for (const nlohmann::json& line : evaluations_of(config.output.dir)) {
      CHECK_FALSE(line.contains("kl_per_latent"));
      CHECK_FALSE(line.contains("active_units"));
    }
  }
}

TEST_CASE("a resumed run tells of the latents of a best model from before", "[train][latents]") {
  const TempDir dir;
  const Kind kind{"overfits", [](RunConfig& c) {
                    c.data.train.path = "shapes:16x16,n=60";
                    c.data.valid_fraction = 0.5;
                    c.train.batch_size = 10;
                    c.train.epochs = 400;
                    c.train.patience = 5;
                  }};
  const TrainSummary whole = Trainer(config_of(dir.path() / "whole", kind)).run();
  REQUIRE(whole.stopped_early);
  std::int64_t epoch = 0;
  TrainObserver observer;
  observer.progress = [&](const Progress& now) { epoch = now.epoch; };
  observer.stop_requested = [&] { return epoch >= whole.best_epoch + 2; };
  const TrainSummary part = Trainer(config_of(dir.path() / "part", kind), observer).run();
  REQUIRE(part.stopped);
  const TrainSummary resumed =
      Trainer(load_run_config((dir.path() / "part").string()), {}, Start::resume).run();
  CHECK(resumed.best_epoch == whole.best_epoch);
  CHECK(resumed.valid->loss == whole.valid->loss);
  REQUIRE(resumed.valid->latents);
  CHECK(resumed.valid->latents->kl == whole.valid->latents->kl);
  CHECK(resumed.valid->latents->active_units == whole.valid->latents->active_units);
}

TEST_CASE("more posteriors than are kept are told of by the first rows", "[train][latents]") {
  const ModelFile file = small_model();
  const std::vector<float> values = some_rows(600, 7);
  const ParameterLayout layout = make_layout(file.model);
  const auto backend = make_cpu_backend(2);
  const auto store = backend->make_parameters(layout.size, false);
  store->write(ParameterStore::Part::parameters, file.parameters);
  RunConfig config;
  config.model = file.model;
  config.train.seed = file.seed;
  const auto evaluate_rows = [&](std::int64_t rows, std::int64_t head_bytes) {
    const Dataset data(slice(values, 0, rows, 7), rows, 7);
    return Evaluator({*backend, *store, layout, file.model, file.preparation}, config, data, head_bytes)
        .evaluate();
  };
  // Two floats of three latents are 24 bytes a row.
  const LossTerms all = evaluate_rows(600, 24 * 600);
  const LossTerms part = evaluate_rows(600, 24 * 300 + 23);
  const LossTerms first = evaluate_rows(300, 24 * 300);
  CHECK(part.kl == all.kl);
  CHECK(part.latents->kl == first.latents->kl);
  CHECK(part.latents->kl != all.latents->kl);
  CHECK(evaluate_rows(600, Evaluator::kHeadBytes).latents->kl == all.latents->kl);
  CHECK(sum_of(all.latents->kl) == Approx(all.kl).epsilon(1e-5));
  CHECK(all.kl == mean_of(open_model(file).elbo(values).kl));
}

}  // namespace vaecuda::test
