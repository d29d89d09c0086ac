// Stopping and resuming vae_cuda_train as a person or a scheduler does: by signals, by a kill, with options.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "support/run_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

/// 360 rows in batches of 40: nine steps an epoch, some tenths of a second in all.
Words run_words(const fs::path& out) {
  return {"--data",
          "shapes:16x16x1,n=400",
          "--valid-fraction",
          "0.1",
          "--hidden",
          "24",
          "--latent-dim",
          "3",
          "--epochs",
          "60",
          "--batch-size",
          "40",
          "--device",
          "cpu",
          "--threads",
          "1",
          "--checkpoint-every",
          "10",
          "--log-every",
          "7",
          "--out",
          out.string()};
}

ProgramResult run_training(const Words& words, const ProgramOptions& options = {}) {
  return run_program(VAECUDA_TRAIN_PATH, words, options);
}

ProgramOptions signalled(int signal, const std::string& after) {
  ProgramOptions options;
  options.signal = signal;
  options.signal_after = after;
  return options;
}

}  // namespace

TEST_CASE("a signalled or killed run is resumed to the same bytes", "[cli][resume]") {
  const TempDir dir;
  const fs::path whole = dir.path() / "whole";
  const ProgramResult expected_run = run_training(run_words(whole));
  INFO(expected_run.err);
  REQUIRE(expected_run.exit_code == 0);
  const RunFiles expected(whole);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGPIPE, SIGXCPU, SIGKILL}) {
    INFO("signal " << signal);
    const fs::path out = dir.path() / std::to_string(signal);
    const ProgramResult stopped = run_training(run_words(out), signalled(signal, "epoch 1/"));
    INFO(stopped.err);
    // A run that was faster than the signal is no failure of either.
    CHECK((stopped.exit_code == (signal == SIGKILL ? 128 + SIGKILL : kStopped) || stopped.exit_code == 0));
    if (stopped.exit_code == kStopped)
      CHECK(stopped.err.find("--resume " + out.string()) != std::string::npos);
    const ProgramResult resumed = run_training({"--resume", out.string()});
    INFO(resumed.err);
    REQUIRE(resumed.exit_code == 0);
    CHECK(RunFiles(out).difference(expected) == "");
  }
}

TEST_CASE("--resume takes what cannot change the result and refuses the rest", "[cli][resume]") {
  const TempDir dir;
  const fs::path out = dir.path() / "run";
  REQUIRE(run_training(run_words(out)).exit_code == 0);
  const auto refused = [&](const Words& more, const char* needle) {
    Words words = {"--resume", out.string()};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_training(words);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(needle) != std::string::npos);
  };
  const std::string before = read_bytes(out / "state.safetensors");
  refused({"--out", (dir.path() / "x").string()}, "--out and --resume");
  refused({"--preset", "anomaly"}, "--preset and --resume");
  refused({"--config", (out / "config.toml").string()}, "--config and --resume");
  refused({"--overwrite"}, "--overwrite and --resume");
  refused({"--lr", "0.5"}, "--lr");
  refused({"--epochs", "3"}, "ask for more");
  CHECK(read_bytes(out / "state.safetensors") == before);
  const ProgramResult longer = run_training(
      {"--resume", out.string(), "--epochs", "61", "--threads", "2", "--checkpoint-seconds", "1", "--json"});
  INFO(longer.err);
  REQUIRE(longer.exit_code == 0);
  CHECK(nlohmann::json::parse(longer.out).at("epochs") == 61);
  const ProgramResult missing = run_training({"--resume", (dir.path() / "nothing").string()});
  CHECK(missing.exit_code == 3);
  CHECK(missing.err.find("holds no run") != std::string::npos);
}

}  // namespace vaecuda::test
