// Resuming: k steps and then N − k in another process leave what N steps at once leave, and what would change
// the result is refused.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "host/io/seekable_bytes.hpp"
#include "host/train/checkpoint.hpp"
#include "support/resumed_runs.hpp"
#include "support/run_files.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

Checkpoint checkpoint_in(const fs::path& dir) {
  return load_checkpoint(open_bytes((dir / "state.safetensors").string()));
}

}  // namespace

TEST_CASE("a run can be made longer where no schedule depends on its length", "[resume]") {
  const TempDir dir;
  const RunConfig config = small_run(dir.path());
  const RunFiles expected = train_at_once(config, dir.path() / "whole");
  for (const std::int64_t k :
       {std::int64_t{1}, std::int64_t{6}, std::int64_t{7}, std::int64_t{30}, std::int64_t{49}}) {
    INFO("step " << k);
    RunConfig part = config;
    part.train.steps = k;
    const fs::path out = dir.path() / std::to_string(k);
    static_cast<void>(train_at_once(part, out));
    RunConfig longer = load_run_config(out.string());
    longer.train.steps = kSteps;
    static_cast<void>(Trainer(longer, {}, Start::resume).run());
    // The picture at the end of the first part is cut out of the events as well.
    CHECK(RunFiles(out).difference(expected) == "");
    CHECK(load_run_config(out.string()).train.steps == kSteps);
  }
  RunConfig cosine = config;
  cosine.optimizer.schedule.kind = LrScheduleKind::cosine;
  train_until(cosine, dir.path() / "cosine", 20);
  RunConfig longer = load_run_config((dir.path() / "cosine").string());
  longer.train.steps = kSteps + 1;
  check_error<ConfigError>([&] { Trainer run(longer, {}, Start::resume); }, {"50 steps", "51", "schedule"});
  RunConfig shorter = load_run_config((dir.path() / "30").string());
  shorter.train.steps = 49;
  check_error<ConfigError>([&] { Trainer run(shorter, {}, Start::resume); }, {"50 steps already", "49"});
}

TEST_CASE("a finished run can be resumed: nothing changes", "[resume]") {
  const TempDir dir;
  const RunConfig config = small_run(dir.path());
  const RunFiles expected = train_at_once(config, dir.path() / "run");
  resume(dir.path() / "run");
  CHECK(RunFiles(dir.path() / "run").difference(expected) == "");
}

TEST_CASE("patience holds across a stop", "[resume]") {
  const TempDir dir;
  RunConfig config = small_run(dir.path());
  config.train.steps = 400;
  config.train.patience = 2;
  config.optimizer.lr = 0.05;
  const fs::path whole = dir.path() / "whole";
  config.output.dir = whole.string();
  const TrainSummary summary = Trainer(config).run();
  REQUIRE(summary.stopped_early);
  const RunFiles expected(whole);
  for (const std::int64_t back : {1, 6, 11}) {
    const fs::path out = dir.path() / std::to_string(back);
    train_until(config, out, summary.steps - back);
    CHECK(Trainer(load_run_config(out.string()), {}, Start::resume).run().stopped_early);
    CHECK(RunFiles(out).difference(expected) == "");
  }
  const TrainSummary again = Trainer(load_run_config(whole.string()), {}, Start::resume).run();
  CHECK(again.stopped_early);
  CHECK(RunFiles(whole).difference(expected) == "");
}

TEST_CASE("a stop in the midst of an epoch's evaluation leaves it to the next process", "[resume]") {
  const TempDir dir;
  const RunConfig config = small_run(dir.path());
  const RunFiles expected = train_at_once(config, dir.path() / "whole");
  RunConfig stopped = config;
  const fs::path out = dir.path() / "run";
  stopped.output.dir = out.string();
  std::int64_t step = 0;
  TrainObserver observer;
  observer.progress = [&](const Progress& now) { step = now.epoch_end ? now.step : step; };
  // Between the end of the first epoch and that of the second, the loop asks once a step and then the
  // evaluation asks: requests are counted from the first epoch's end on.
  int asked = 0;
  observer.stop_requested = [&] { return step > 0 && ++asked > 2; };
  static_cast<void>(Trainer(stopped, observer).run());
  std::int64_t open = checkpoint_in(out).state.boundary_open ? 1 : 0;
  for (int most = 3; open == 0 && most < 12; ++most) {
    fs::remove_all(out);
    step = asked = 0;
    observer.stop_requested = [&] { return step > 0 && ++asked > most; };
    static_cast<void>(Trainer(stopped, observer).run());
    open = checkpoint_in(out).state.boundary_open ? 1 : 0;
  }
  REQUIRE(open == 1);
  resume(out);
  CHECK(RunFiles(out).difference(expected) == "");
}

TEST_CASE("what a killed run has left is put right", "[resume]") {
  const TempDir dir;
  const RunConfig config = small_run(dir.path());
  const RunFiles expected = train_at_once(config, dir.path() / "whole");
  const fs::path out = dir.path() / "run";
  train_until(config, out, 20);
  const std::string state = read_bytes(out / "state.safetensors");

  SECTION("it had gone on after the checkpoint") {
    resume(out);
    write_file(out / "state.safetensors", state);
  }
  SECTION("a line and a record are half written") {
    std::ofstream(out / "metrics.jsonl", std::ios::app) << R"({"step":21,"epo)";
    for (const auto& entry : fs::directory_iterator(out)) {
      if (entry.path().filename().string().starts_with("events")) {
        std::ofstream(entry.path(), std::ios::app | std::ios::binary) << std::string(11, '\x01');
      }
    }
  }
  SECTION("models are newer than the state, temporary files are left") {
    write_file(out / "last.safetensors", "x");
    write_file(out / "model.safetensors", "y");
    write_file(out / "state.safetensors.4711-3.tmp", state.substr(0, 100));
    write_file(out / "config.toml.4711-0.tmp", "");
  }
  SECTION("logs are gone") {
    fs::remove(out / "metrics.jsonl");
    resume(out);
    CHECK(RunFiles(out).state == expected.state);
    return;
  }
  SECTION("no checkpoint was saved") {
    for (const char* name : {"state.safetensors", "last.safetensors", "model.safetensors"}) {
      fs::remove(out / name);
    }
  }
  SECTION("the first checkpoint was begun, and not ended") {
    fs::remove(out / "state.safetensors");
    write_file(out / "state.safetensors.first.tmp", "");
  }
  resume(out);
  CHECK(RunFiles(out).difference(expected) == "");
}

TEST_CASE("models without their state are not trained over", "[resume]") {
  const TempDir dir;
  const fs::path out = dir.path() / "run";
  train_until(small_run(dir.path()), out, 20);
  fs::remove(out / "state.safetensors");
  const RunFiles left(out);
  check_error<FileError>([&] { resume(out); }, {"state.safetensors, from which a run resumes, is missing",
                                                "last.safetensors", "--init-from"});
  const RunFiles found(out);
  CHECK(found.model == left.model);
  CHECK(found.last == left.last);
  CHECK(found.metrics == left.metrics);
  CHECK(found.files == left.files);
}

TEST_CASE("an option that must not change is refused, whichever it is", "[resume]") {
  const TempDir dir;
  const RunConfig config = small_run(dir.path());
  const fs::path out = dir.path() / "run";
  train_until(config, out, 3);
  const RunConfig began = load_run_config(out.string());
  int refused = 0;
  for (const Option& option : options()) {
    RunConfig changed = began;
    // Some value that differs from the run's: another choice, or of these the first that is one.
    std::vector<std::string> texts = {
        "2", "3", "1", "0.25", "true", "false", "cosine", "linear:steps=9", "6x2x1", "name"};
    if (option.type == OptionType::choice) {
      std::istringstream choices{std::string(option.value)};
      for (std::string choice; std::getline(choices, choice, '|');) texts.push_back(choice);
    }
    for (const std::string& text : texts) {
      try {
        option.set(changed, text, option.flag);
      } catch (const ConfigError&) {
        continue;
      }
      if (option.get(changed) != option.get(began)) break;
    }
    INFO(option.flag << " " << option.get(changed));
    if (option.may_change_on_resume) continue;
    REQUIRE(option.get(changed) != option.get(began));
    ++refused;
    try {
      Trainer run(changed, {}, Start::resume);
      FAIL_CHECK("accepted");
    } catch (const ConfigError& error) {
      // A contradiction between options may be found first; either way nothing is trained.
      CHECK(error.exit_code() == 2);
    }
  }
  CHECK(refused > 25);
  RunConfig changed = began;
  changed.model.latent_dim = 4;
  check_error<ConfigError>([&] { Trainer run(changed, {}, Start::resume); },
                           {"--latent-dim", "'3'", "'4'", "--init-from"});
}

TEST_CASE("other rows are refused, the same rows elsewhere are not", "[resume]") {
  const TempDir dir;
  const RunConfig config = small_run(dir.path());
  const RunFiles expected = train_at_once(config, dir.path() / "whole");
  const fs::path out = dir.path() / "run";
  train_until(config, out, 30);
  RunConfig moved = load_run_config(out.string());
  const std::string path = (dir.path() / "elsewhere.npy").string();
  std::string bytes = read_bytes(config.data.train.path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  moved.data.train.path = write_file(path, bytes);
  check_error<FileError>([&] { Trainer run(moved, {}, Start::resume); }, {"elsewhere.npy", "rows are not"});
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(path, bytes);
  fs::remove(config.data.train.path);
  static_cast<void>(Trainer(moved, {}, Start::resume).run());
  CHECK(RunFiles(out).difference(expected) == "");
}

TEST_CASE("a folder that cannot be resumed says why", "[resume]") {
  const TempDir dir;
  check_error<FileError>([&] { (void)load_run_config(dir.path().string()); },
                         {"holds no run", "config.toml"});
  const RunConfig config = small_run(dir.path());
  const fs::path out = dir.path() / "run";
  train_until(config, out, 3);
  const RunConfig began = load_run_config(out.string());
  const std::string state = read_bytes(out / "state.safetensors");
  const auto refused = [&](std::initializer_list<std::string_view> needles) {
    check_error<FileError>([&] { Trainer run(began, {}, Start::resume); }, needles);
  };
  write_file(out / "state.safetensors", state.substr(0, state.size() - 1));
  refused({"state.safetensors", "truncated"});
  write_file(out / "state.safetensors", read_bytes(out / "last.safetensors"));
  refused({"state.safetensors", "vaecuda-state"});
  Checkpoint changed;
  write_file(out / "state.safetensors", state);
  changed = checkpoint_in(out);
  changed.identity.options["model.flux"] = "3";
  save_checkpoint((out / "state.safetensors").string(), changed);
  refused({"model.flux", "version"});
  changed.identity.options.erase("model.flux");
  changed.parameters.resize(changed.parameters.size() + 16);
  changed.moment1.resize(changed.parameters.size());
  changed.moment2.resize(changed.parameters.size());
  changed.state.best.reset();
  save_checkpoint((out / "state.safetensors").string(), changed);
  refused({"parameters", "config.toml"});
  changed.moment2[5] = std::numeric_limits<float>::quiet_NaN();
  check_error<RuntimeError>([&] { save_checkpoint((out / "x").string(), changed); },
                            {"adam.moment2", "nan", "5"});
}

TEST_CASE("two processes cannot train in one folder", "[resume]") {
  const TempDir dir;
  RunConfig config = small_run(dir.path());
  const fs::path out = dir.path() / "run";
  config.output.dir = out.string();
  TrainObserver observer;
  int tried = 0;
  observer.stop_requested = [&] {
    if (tried++ == 0) {
      check_error<ConfigError>(
          [&] { static_cast<void>(Trainer(load_run_config(out.string()), {}, Start::resume).run()); },
          {"another process", out.string()});
    }
    return false;
  };
  static_cast<void>(Trainer(config, observer).run());
  CHECK(tried > 0);
}

}  // namespace vaecuda::test
