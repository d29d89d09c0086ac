// Fewer training rows than a batch: one update an epoch. Runs that began before that rule keep theirs.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "host/train/checkpoint.hpp"
#include "host/train/run_folder.hpp"
#include "host/train/run_setup.hpp"
#include "support/run_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

RunConfig ten_rows(const fs::path& out) {
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=10";
  config.model.hidden = {6};
  config.model.latent_dim = 2;
  config.train.device = "cpu";
  config.train.batch_size = 64;
  config.train.epochs = 40;
  config.output.dir = out.string();
  return config;
}

/// A run of 64 rows a batch as it was before its first step, whose state and configuration say so.
void begin_older_run(const fs::path& out) {
  const RunSetup setup(
      ten_rows(out), std::nullopt, [](const std::string&) {}, Start::fresh);
  REQUIRE(setup.config.train.batch_size == 10);
  Checkpoint begin = setup.checkpoint({});
  begin.identity.options.at("train.batch_size") = "64";
  fs::create_directories(out);
  RunConfig config = setup.config;
  config.train.batch_size = 64;
  std::ofstream(out / "config.toml") << to_toml(config);
  std::ofstream(out / "metrics.jsonl");
  save_checkpoint((out / "state.safetensors").string(), begin);
}

}  // namespace

TEST_CASE("a batch is at most all training rows, told in one line and stored", "[train]") {
  const TempDir dir;
  std::vector<std::string> said;
  TrainObserver observer;
  observer.message = [&](const std::string& line) { said.push_back(line); };
  std::vector<std::int64_t> epochs;
  observer.progress = [&](const Progress& now) {
    if (now.epoch_end) epochs.push_back(now.epoch);
  };
  RunConfig config = ten_rows(dir.path() / "run");
  config.train.epochs = 3;
  Trainer trainer(config, observer);
  CHECK(trainer.config().train.batch_size == 10);
  const TrainSummary summary = trainer.run();
  CHECK(std::count(said.begin(), said.end(),
                   "the batch of 64 rows is larger than the 10 training rows: batches of 10") == 1);
  CHECK(summary.steps == 3);
  CHECK(summary.epochs == 3);
  CHECK(epochs == std::vector<std::int64_t>{1, 2, 3});
  CHECK(load_run_config((dir.path() / "run").string()).train.batch_size == 10);
}

TEST_CASE("a run that began with more rows a batch than there are goes on with them", "[resume]") {
  const TempDir dir;
  const fs::path whole = dir.path() / "whole";
  begin_older_run(whole);
  const TrainSummary summary = Trainer(load_run_config(whole.string()), {}, Start::resume).run();
  CHECK(summary.steps == 7);    // ⌈40 · 10 / 64⌉
  CHECK(summary.epochs == 44);  // ⌊7 · 64 / 10⌋
  CHECK(load_run_config(whole.string()).train.batch_size == 64);
  const RunFiles expected(whole);

  const fs::path parts = dir.path() / "parts";
  begin_older_run(parts);
  RunConfig first = load_run_config(parts.string());
  first.train.epochs.reset();
  first.train.steps = 3;
  CHECK(Trainer(first, {}, Start::resume).run().steps == 3);
  RunConfig rest = load_run_config(parts.string());
  rest.train.steps.reset();
  rest.train.epochs = 40;
  CHECK(Trainer(rest, {}, Start::resume).run().steps == 7);
  CHECK(RunFiles(parts).difference(expected) == "");
}

}  // namespace vaecuda::test
