// NaN and infinity in data, weights and gradients: caught in the step in which they come, on every executor;
// and what a run then does.
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "host/train/checkpoint.hpp"
#include "support/executor.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/run_files.hpp"
#include "support/tolerance.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::int64_t kRows = 29;
constexpr std::int64_t kColumns = 11;
constexpr std::int64_t kBatch = 6;

TrainingBench bench_of(Likelihood likelihood) {
  TrainingBench bench;
  bench.config = small_config(kColumns, {8}, 3, kBatch);
  bench.config.model.likelihood = likelihood;
  return bench;
}

std::vector<float> clean_values() {
  std::vector<float> values = noise(kRows * kColumns, 3, 0.5);
  for (float& value : values) value += 0.5f;
  return values;
}

/// The step, from 1, whose batch is the first to hold the row.
std::int64_t step_of_row(const Dataset& data, std::uint64_t seed, std::int64_t row) {
  const oracle::Matrix seen = rows_at(data, seed, 0, kRows);
  for (std::int64_t position = 0; position < kRows; ++position) {
    bool same = true;
    for (std::int64_t c = 0; c < kColumns && same; ++c) {
      same = static_cast<float>(seen.at(position, c)) ==
             data.f32()[static_cast<std::size_t>(row * kColumns + c)];
    }
    if (same) return position / kBatch + 1;
  }
  FAIL("row " << row << " is in no batch of the first epoch");
  return 0;
}

/// A table of 40 rows in which one value is far out: its squared error is no fp32 number.
std::string write_table(const fs::path& dir, float outlier) {
  std::vector<float> values = noise(40 * 6, 9, 1.0);
  values[17 * 6 + 2] = outlier;
  return write_file(dir / "table.npy", npy_bytes("<f4", "40, 6", bytes_of(values)));
}

RunConfig table_run(const fs::path& dir, float outlier) {
  RunConfig config;
  config.data.train.path = write_table(dir, outlier);
  config.model.likelihood = Likelihood::gaussian;
  config.model.hidden = {8};
  config.model.latent_dim = 2;
  config.train.device = "cpu";
  config.train.batch_size = 8;
  config.train.steps = 50;
  config.output.dir = (dir / "run").string();
  config.output.log_every = 10;
  return config;
}

void check_clean(const fs::path& out) {
  for (const char* name : {"model.safetensors", "last.safetensors"}) {
    for (const float value : load_model((out / name).string()).parameters) REQUIRE(std::isfinite(value));
  }
}

}  // namespace

TEST_CASE("a value of the data that is not finite stops the step that meets it", "[nonfinite]") {
  const TrainingBench bench = bench_of(Likelihood::gaussian);
  const Dataset clean(clean_values(), kRows, kColumns);
  for (const Executor& executor : executors()) {
    for (std::int64_t row = 0; row < kRows; row += 7) {
      const std::int64_t expected = step_of_row(clean, bench.config.train.seed, row);
      for (const float poison : {kNan, kInfinity, -kInfinity}) {
        INFO(executor.name << ", row " << row << ", " << poison);
        std::vector<float> values = clean_values();
        values[static_cast<std::size_t>(row * kColumns + row % kColumns)] = poison;
        const Dataset data(std::move(values), kRows, kColumns);
        const TrainingResult result = bench.run(executor, data, 10, 3);
        REQUIRE(result.fault.has_value());
        CHECK(result.fault->step == expected);
        CHECK(result.metrics.size() == static_cast<std::size_t>(expected - 1));
        for (const float p : result.parameters) REQUIRE(std::isfinite(p));
      }
    }
  }
}

TEST_CASE("a weight that is not finite stops the first step, whichever it is", "[nonfinite]") {
  TrainingBench bench = bench_of(Likelihood::bernoulli);
  const Dataset data(clean_values(), kRows, kColumns);
  const ParameterLayout layout = bench.layout();
  const std::vector<float> clean = bench.initial_parameters();
  for (const Executor& executor : executors()) {
    for (const Layer& layer : layout.layers()) {
      for (const std::int64_t element : {layer.weight, layer.weight + layer.out * layer.in - 1, layer.bias}) {
        for (const float poison : {kNan, kInfinity, -kInfinity}) {
          INFO(executor.name << ", " << layout.tensor_at(element) << ", " << poison);
          bench.initial = clean;
          bench.initial[static_cast<std::size_t>(element)] = poison;
          const TrainingResult result = bench.run(executor, data, 4);
          REQUIRE(result.fault.has_value());
          CHECK(result.fault->step == 1);
        }
      }
    }
  }
}

TEST_CASE("a gradient that no update can use stops the step and names a tensor", "[nonfinite]") {
  TrainingBench bench = bench_of(Likelihood::gaussian);
  bench.config.model.sigma = 1e-6;
  std::vector<float> values = clean_values();
  for (float& value : values) value *= 1e9f;
  bench.config.objective.commitment = 1e30;  // the terms of the loss are finite, its gradient 2e39 is not
  const Dataset data(std::move(values), kRows, kColumns);
  for (const Executor& executor : executors()) {
    INFO(executor.name);
    const TrainingResult result = bench.run(executor, data, 4);
    REQUIRE(result.fault.has_value());
    CHECK(result.fault->step == 1);
    REQUIRE(result.fault->element >= 0);
    CHECK_FALSE(bench.layout().tensor_at(result.fault->element).empty());
  }
}

TEST_CASE("skipping leaves codes and weights where they are if the gradient is no number",
          "[nonfinite][vq]") {
  TrainingBench bench = bench_of(Likelihood::gaussian);
  bench.config.model.latent = LatentKind::vq;
  bench.config.model.latent_dim = 4;
  bench.config.model.codebooks = 2;
  bench.config.model.codebook_size = 5;
  bench.config.train.on_nonfinite = NonfiniteAction::skip;
  std::vector<float> values = clean_values();
  for (float& value : values) value *= 1e9f;
  bench.config.objective.commitment = 1e30;  // the terms of the loss are finite, its gradient 2e39 is not
  const Dataset data(std::move(values), kRows, kColumns);
  for (const Executor& executor : executors()) {
    for (const CodebookUpdate update : {CodebookUpdate::ema, CodebookUpdate::gradient}) {
      INFO(executor.name << ", update " << static_cast<int>(update));
      bench.config.optimizer.codebook_update = update;
      const TrainingResult result = bench.run(executor, data, 3);
      CHECK_FALSE(result.fault.has_value());
      REQUIRE(result.metrics.size() == 3);
      for (const math::StepMetrics& step : result.metrics) {
        CHECK(std::isfinite(math::sum_of(step.means)));
        CHECK(std::isnan(step.gradient_norm));
      }
      CHECK(compare_bits(result.parameters, bench.initial_parameters()) == "");
    }
  }
}

TEST_CASE("by default a run stops, and what was saved before stays", "[nonfinite]") {
  const TempDir dir;
  RunConfig config = table_run(dir.path(), 1e25f);
  config.output.checkpoint_every = 1;
  const fs::path out = config.output.dir;
  try {
    static_cast<void>(Trainer(config).run());
    FAIL("an infinite loss was accepted");
  } catch (const DivergedError& error) {
    CHECK(error.tensor() == "loss");
    if (error.step() > 1) {
      CHECK(load_model((out / "last.safetensors").string()).steps == error.step() - 1);
      check_clean(out);
    }
  }
}

TEST_CASE("skipping leaves out the steps that are not finite, also across a stop", "[nonfinite]") {
  const TempDir dir;
  RunConfig config = table_run(dir.path(), 1e25f);
  config.train.on_nonfinite = NonfiniteAction::skip;
  const TrainSummary summary = Trainer(config).run();
  // The row comes once in every five steps.
  CHECK(summary.skipped_steps == 10);
  CHECK(std::isfinite(summary.train.loss));
  check_clean(config.output.dir);
  const RunFiles expected(config.output.dir);
  CHECK(expected.metrics.back().at("skipped") == 10);
  for (const std::int64_t k : {4, 7, 25}) {
    config.output.dir = (dir.path() / std::to_string(k)).string();
    config.train.steps = k;
    static_cast<void>(Trainer(config).run());
    RunConfig longer = load_run_config(config.output.dir);
    longer.train.steps = 50;
    CHECK(Trainer(longer, {}, Start::resume).run().skipped_steps == 10);
    CHECK(RunFiles(config.output.dir).difference(expected) == "");
  }
}

TEST_CASE("skipping gives up where nothing else is left", "[nonfinite]") {
  const TempDir dir;
  RunConfig config = table_run(dir.path(), 1e25f);
  config.train.on_nonfinite = NonfiniteAction::skip;
  config.train.batch_size = 40;  // every step has the row
  config.train.steps = 1000;
  check_error<DivergedError>([&] { static_cast<void>(Trainer(config).run()); },
                             {"100 steps in a row", "step 100"});
}

TEST_CASE("restoring goes back with half the learning rate until the run holds", "[nonfinite]") {
  const TempDir dir;
  RunConfig config = table_run(dir.path(), 0.5f);
  config.optimizer.lr = 1e6;
  config.train.on_nonfinite = NonfiniteAction::restore;
  config.train.max_restores = 60;
  config.output.checkpoint_every = 7;
  std::vector<std::string> messages;
  TrainObserver observer;
  observer.message = [&](const std::string& line) {
    if (line.find("of the learning rate") != std::string::npos) messages.push_back(line);
  };
  const TrainSummary summary = Trainer(config, observer).run();
  const fs::path whole = config.output.dir;
  CHECK(summary.restores > 3);
  CHECK(summary.steps == 50);
  CHECK(messages.size() == static_cast<std::size_t>(summary.restores));
  CHECK(messages.front().find("1/2 of the learning rate") != std::string::npos);
  check_clean(whole);
  const RunFiles expected(whole);
  CHECK(expected.metrics.size() == 10);  // every ten steps, and the five epochs' ends between them
  CHECK(expected.metrics.back().at("lr").get<double>() ==
        1e6 / std::ldexp(1.0, static_cast<int>(summary.restores)));

  // The same again, stopped after the first checkpoint and resumed.
  const fs::path out = dir.path() / "again";
  config.output.dir = out.string();
  observer.stop_requested = [&] {
    return fs::exists(out / "state.safetensors") &&
           load_checkpoint(open_bytes((out / "state.safetensors").string())).state.step == 7;
  };
  CHECK(Trainer(config, observer).run().stopped);
  static_cast<void>(Trainer(load_run_config(out.string()), {}, Start::resume).run());
  CHECK(RunFiles(out).difference(expected) == "");
}

TEST_CASE("restoring ends the run after so many returns", "[nonfinite]") {
  const TempDir dir;
  RunConfig config = table_run(dir.path(), 1e25f);
  config.train.on_nonfinite = NonfiniteAction::restore;
  config.train.max_restores = 2;
  int returns = 0;
  TrainObserver observer;
  observer.message = [&](const std::string& line) {
    if (line.find("of the learning rate") != std::string::npos) ++returns;
  };
  check_error<DivergedError>([&] { static_cast<void>(Trainer(config, observer).run()); },
                             {"diverged in step"});
  CHECK(returns == 2);
  check_clean(config.output.dir);
  CHECK(load_checkpoint(open_bytes((fs::path(config.output.dir) / "state.safetensors").string()))
            .state.restores == 2);
}

}  // namespace vaecuda::test
