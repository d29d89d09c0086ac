// Whole runs through the public API: what they learn, what they write, and how they fail.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "host/model/model_file.hpp"
#include "tests/support/files.hpp"
#include "tests/support/run_files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

RunConfig small_config(const fs::path& out) {
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=600";
  config.model.hidden = {48};
  config.model.latent_dim = 6;
  config.train.device = "cpu";
  config.train.batch_size = 64;
  config.train.epochs = 4;
  config.output.dir = out.string();
  config.output.log_every = 7;
  return config;
}

}  // namespace

TEST_CASE("training on shapes learns", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  config.data.valid_fraction = 0.1;
  config.train.epochs = 30;
  std::vector<Progress> epochs;
  TrainObserver observer;
  observer.progress = [&](const Progress& now) {
    if (now.epoch_end) epochs.push_back(now);
  };
  const TrainSummary summary = Trainer(config, observer).run();
  REQUIRE(epochs.size() == 30);
  // An untrained model pays log 2 for each of the 256 pixels, 177 nats; always predicting the mean picture
  // costs about 75.
  CHECK(epochs.front().train.loss > 100.0);
  CHECK(summary.train.loss < 60.0);
  CHECK(summary.train.kl > 3.0);
  REQUIRE(summary.valid);
  CHECK(summary.valid->loss < 65.0);
  CHECK(summary.train.loss == Approx(summary.train.reconstruction + summary.train.kl).epsilon(1e-9));
}

TEST_CASE("a plain autoencoder learns, and has no samples", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  config.data.test_fraction = 0.1;
  config.model.latent = LatentKind::deterministic;
  config.objective.latent_l2 = 0.5;
  config.train.epochs = 30;
  std::string said;
  TrainObserver observer;
  observer.message = [&](const std::string& line) { said += line + "\n"; };
  const TrainSummary summary = Trainer(config, observer).run();
  // Always predicting the mean picture costs about 75 nats, and a VAE of this size about 50 after these
  // epochs.
  CHECK(summary.train.reconstruction < 45.0);
  CHECK(summary.train.kl == 0.0);
  REQUIRE(summary.test);
  CHECK(summary.test->kl == 0.0);
  for (const LossTerms& terms : {summary.train, *summary.test}) {
    CHECK(terms.loss > terms.reconstruction);
    CHECK(terms.loss < terms.reconstruction + 20.0);
  }
  CHECK(fs::exists(dir.path() / "run" / "reconstructions.png"));
  CHECK_FALSE(fs::exists(dir.path() / "run" / "samples.png"));
  CHECK(said.find("no samples.png: a model with --latent deterministic") != std::string::npos);
  CHECK(load_model((dir.path() / "run" / "model.safetensors").string()).model.latent ==
        LatentKind::deterministic);
}

TEST_CASE("a conditional model learns what its labels tell", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "untold");
  config.data.test_fraction = 0.2;
  config.train.epochs = 30;
  const TrainSummary plain = Trainer(config).run();
  config.output.dir = (dir.path() / "told").string();
  config.model.conditional = true;
  Trainer run(config);
  CHECK(run.config().model.condition_dim > 1);
  const TrainSummary told = run.run();
  // What the label says need not be said by the code.
  REQUIRE(told.test);
  CHECK(told.test->kl < plain.test->kl);
  CHECK(told.test->loss < 60.0);
  const ModelFile file = load_model(told.model);
  CHECK(file.model.conditional);
  CHECK(static_cast<std::int64_t>(file.condition_names.size()) == file.model.condition_dim);
  CHECK(fs::exists(fs::path(config.output.dir) / "samples.png"));

  config.train.init_from = told.model;
  config.model.conditional = false;
  config.output.dir = (dir.path() / "on").string();
  check_error<ConfigError>([&] { Trainer on(config); }, {"--init-from", "--conditional"});
}

namespace {

/// What the best prediction that is the same for every row costs: the mean picture, or for Laplace the median
/// one, with the given deviation or the one that fits its errors best.
double constant_cost(const Dataset& data, bool laplace, bool fitted) {
  const auto columns = static_cast<double>(data.columns());
  double error = 0.0;
  for (std::int64_t c = 0; c < data.columns(); ++c) {
    std::vector<double> values;
    for (std::int64_t r = 0; r < data.rows(); ++r) {
      values.push_back(static_cast<double>(data.u8()[static_cast<std::size_t>(r * data.columns() + c)]) /
                       255.0);
    }
    std::sort(values.begin(), values.end());
    const double mean =
        std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    const double middle = laplace ? values[values.size() / 2] : mean;
    for (const double v : values) error += laplace ? std::fabs(v - middle) : (v - middle) * (v - middle);
  }
  error /= columns * static_cast<double>(data.rows());
  const double scale = laplace ? (fitted ? error : kDefaultSigma / std::sqrt(2.0))
                               : (fitted ? std::sqrt(error) : kDefaultSigma);
  return columns *
         (laplace ? error / scale + std::log(2.0 * scale)
                  : error / (2.0 * scale * scale) + std::log(scale) + 0.5 * std::log(2.0 * 3.14159265359));
}

}  // namespace

TEST_CASE("every likelihood learns", "[train]") {
  for (const Likelihood likelihood : {Likelihood::gaussian, Likelihood::laplace}) {
    for (const SigmaSource source : {SigmaSource::fixed, SigmaSource::learned, SigmaSource::head}) {
      INFO("likelihood " << static_cast<int>(likelihood) << ", sigma source " << static_cast<int>(source));
      const TempDir dir;
      RunConfig config = small_config(dir.path() / "run");
      config.model.likelihood = likelihood;
      config.model.sigma_source = source;
      config.model.output_bias = OutputBias::data_mean;
      config.optimizer.lr = 5e-3;  // 300 steps: a learned log sigma moves by the rate a step
      config.train.epochs = 30;
      std::vector<double> losses;
      TrainObserver observer;
      observer.progress = [&](const Progress& now) {
        if (now.epoch_end) losses.push_back(now.train.loss);
      };
      const TrainSummary summary = Trainer(config, observer).run();
      const double constant = constant_cost(load_dataset(config.data.train),
                                            likelihood == Likelihood::laplace, source != SigmaSource::fixed);
      CAPTURE(constant);
      CHECK(losses.back() < losses.front());
      CHECK(summary.train.loss < constant - 10.0);
      CHECK(summary.train.kl > 0.5);
    }
  }
}

TEST_CASE("a run's files hold what they promise", "[train]") {
  const TempDir dir;
  const fs::path out = dir.path() / "deep" / "run";
  RunConfig config = small_config(out);
  config.data.valid_fraction = 0.1;
  config.data.test_fraction = 0.1;
  config.model.latent_dim = 2;
  const TrainSummary summary = Trainer(config).run();
  // 480 training rows in batches of 64: epochs end after ceil(7.5 e) steps.
  CHECK(summary.steps == 30);
  CHECK(summary.epochs == 4);
  REQUIRE(summary.test);
  for (const char* name : {"config.toml", "model.safetensors", "last.safetensors", "reconstructions.png",
                           "samples.png", "manifold.png"}) {
    CHECK(fs::file_size(out / name) > 100);
  }
  const auto lines = lines_of(out / "metrics.jsonl");
  std::vector<std::int64_t> steps;
  for (const auto& line : lines) steps.push_back(line.at("step"));
  CHECK(steps == std::vector<std::int64_t>{7, 8, 14, 15, 21, 23, 28, 30});
  for (const auto& line : lines) {
    const bool epoch_end =
        line.at("step") == 8 || line.at("step") == 15 || line.at("step") == 23 || line.at("step") == 30;
    CHECK(line.contains("valid") == epoch_end);
    CHECK(line.at("loss").get<double>() ==
          Approx(line.at("reconstruction").get<double>() + line.at("kl").get<double>()).epsilon(1e-9));
    CHECK(line.at("gradient_norm").get<double>() > 0.0);
    CHECK(line.at("lr").get<double>() == 1e-3);
  }
  const auto events =
      std::find_if(fs::directory_iterator(out), fs::directory_iterator(), [](const auto& entry) {
        return entry.path().filename().string().rfind("events.out.tfevents.", 0) == 0;
      });
  CHECK(events != fs::directory_iterator());
  const ModelFile model = load_model((out / "last.safetensors").string());
  CHECK(model.steps == 30);
  CHECK(model.model.input_dim == 256);
  CHECK(model.image == ImageShape{16, 16, 1});
}

TEST_CASE("epochs and batches of any size fit together", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  config.data.train.path = "shapes:16x16,n=10";
  config.train.batch_size = GENERATE(1, 3, 10, 16, 64);
  config.train.epochs = 5;
  const TrainSummary summary = Trainer(config).run();
  const std::int64_t batch = std::min<std::int64_t>(config.train.batch_size, 10);
  CHECK(summary.steps == (5 * 10 + batch - 1) / batch);
  CHECK(summary.epochs == 5);
}

TEST_CASE("the model's bytes depend on the configuration alone", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "one");
  config.train.threads = 1;
  Trainer(config).run();
  const std::string expected = read_bytes(dir.path() / "one" / "model.safetensors");
  REQUIRE(expected.size() > 1000);
  int run = 0;
  for (const int threads : {1, 2, 3, 4, 7}) {
    config.train.threads = threads;
    config.output.log_every = 1 + threads;
    config.output.dir = (dir.path() / std::to_string(run++)).string();
    const TrainSummary summary = Trainer(config).run();
    CHECK(read_bytes(summary.model) == expected);
  }
  config.train.seed = 2;
  config.output.dir = (dir.path() / "other").string();
  CHECK(read_bytes(Trainer(config).run().model) != expected);
}

TEST_CASE("validation chooses the model, patience ends the run", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  config.data.train.path = "shapes:16x16,n=60";
  config.data.valid_fraction = 0.5;
  config.train.batch_size = 10;
  config.train.epochs = 400;
  config.train.patience = 5;
  config.optimizer.lr = 5e-3;
  const TrainSummary summary = Trainer(config).run();
  CHECK(summary.stopped_early);
  CHECK(summary.epochs < 400);
  CHECK(summary.epochs == summary.best_epoch + 5);
  const fs::path out = config.output.dir;
  CHECK(read_bytes(out / "model.safetensors") != read_bytes(out / "last.safetensors"));
  double least = 1e30;
  for (const auto& line : lines_of(out / "metrics.jsonl")) {
    if (line.contains("valid")) least = std::min(least, line.at("valid").at("loss").get<double>());
  }
  CHECK(summary.valid->loss == least);
}

TEST_CASE("a stop request ends a run after saving", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  config.train.epochs = 1000000;
  TrainObserver observer;
  observer.stop_requested = [] { return true; };
  const TrainSummary summary = Trainer(config, observer).run();
  CHECK(summary.steps >= 1);
  CHECK(summary.steps < 1000);
  CHECK(load_model(summary.model).steps == summary.steps);
}

TEST_CASE("a model can be trained on", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "first");
  const TrainSummary first = Trainer(config).run();
  config.train.init_from = first.model;
  config.output.dir = (dir.path() / "second").string();
  const TrainSummary second = Trainer(config).run();
  CHECK(second.train.loss < first.train.loss);
  config.output.dir = (dir.path() / "refused").string();

  SECTION("but not with other layers") {
    config.model.hidden = {49};
    check_error<ConfigError>([&] { Trainer run(config); }, {"--init-from", "model.safetensors",
                                                            "--hidden is 48 in this model, and here 49"});
  }
  SECTION("nor with another kind of latent") {
    config.model.latent = LatentKind::deterministic;
    check_error<ConfigError>([&] { Trainer run(config); },
                             {"--init-from", "--latent is gaussian", "here deterministic"});
  }
  SECTION("nor with another likelihood") {
    config.model.likelihood = Likelihood::gaussian;
    check_error<ConfigError>([&] { Trainer run(config); },
                             {"--init-from", "--likelihood is bernoulli", "here gaussian"});
  }
  SECTION("nor with another preparation") {
    config.model.likelihood = Likelihood::gaussian;
    config.output.dir = (dir.path() / "third").string();
    config.train.init_from.clear();
    const TrainSummary gaussian = Trainer(config).run();
    config.train.init_from = gaussian.model;
    config.data.standardize = true;
    config.output.dir = (dir.path() / "refused").string();
    check_error<ConfigError>([&] { Trainer run(config); }, {"--init-from", "--standardize"});
  }
}

TEST_CASE("a run that diverges names step and tensor and leaves no model", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  config.model.likelihood = Likelihood::gaussian;
  config.optimizer.lr = 1e6;
  config.optimizer.clip_norm = GENERATE(0.0, 1.0);
  try {
    Trainer(config).run();
    FAIL("a learning rate of a million did not diverge");
  } catch (const DivergedError& error) {
    CHECK(error.exit_code() == 6);
    CHECK(error.step() >= 1);
    CHECK_FALSE(error.tensor().empty());
    CHECK(std::string(error.what()).find("step " + std::to_string(error.step())) != std::string::npos);
  }
  CHECK_FALSE(fs::exists(fs::path(config.output.dir) / "model.safetensors"));
  CHECK_FALSE(fs::exists(fs::path(config.output.dir) / "last.safetensors"));
}

TEST_CASE("requests that cannot be met are refused before anything is written", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  SECTION("a warm-up longer than the run") {
    config.optimizer.schedule.kind = LrScheduleKind::cosine;
    config.optimizer.schedule.warmup_steps = 1000;
    check_error<ConfigError>([&] { Trainer run(config); }, {"warm-up", "1000", "38"});
  }
  SECTION("another precision than fp32 on the CPU") {
    config.train.precision = Precision::bf16;
    check_error<DeviceError>([&] { Trainer run(config); }, {"bf16", "CPU"});
  }
  SECTION("a model that does not fit in memory") {
    config.model.hidden = {1 << 24, 1 << 12};
    check_error<OutOfMemoryError>([&] { Trainer run(config); }, {"parameters", "MiB asked", "available"});
  }
  SECTION("a model that is larger than any memory") {
    config.model.hidden = {1 << 24, 1 << 24};
    check_error<ConfigError>([&] { Trainer run(config); }, {"2^40"});
  }
  SECTION("a folder that holds a run") {
    fs::create_directories(config.output.dir);
    write_file(fs::path(config.output.dir) / "metrics.jsonl", "");
    check_error<ConfigError>([&] { Trainer run(config); }, {"already holds a run", "--overwrite"});
  }
  SECTION("a file in the folder's place") {
    write_file(config.output.dir, "");
    check_error<ConfigError>([&] { Trainer run(config); }, {"this is a file"});
  }
  const fs::path out = config.output.dir;
  CHECK_FALSE(fs::exists(out / "config.toml"));
  CHECK_FALSE(fs::exists(out / "model.safetensors"));
}

TEST_CASE("schedules change the learning rate as they say", "[train]") {
  const TempDir dir;
  RunConfig config = small_config(dir.path() / "run");
  config.output.log_every = 1;
  config.train.epochs.reset();
  config.train.steps = 30;
  config.optimizer.lr = 1e-3;
  config.optimizer.schedule.kind = LrScheduleKind::stages;
  config.optimizer.schedule.stages = {{1, 5e-4}, {2, 1e-4}};
  Trainer(config).run();
  // 600 rows in batches of 64: the first epoch ends after step 10, the second after step 19.
  for (const auto& line : lines_of(fs::path(config.output.dir) / "metrics.jsonl")) {
    const std::int64_t step = line.at("step");
    CHECK(line.at("lr").get<double>() == (step <= 10 ? 1e-3 : step <= 19 ? 5e-4 : 1e-4));
  }
}

}  // namespace vaecuda::test
