// vae_cuda_train as a person meets it: a small run from start to files, and what it prints.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"
#include "vaecuda/config.hpp"

using namespace vaecuda;
using test::contains;
using test::operator+;
using test::ProgramOptions;
using test::ProgramResult;
using test::read_file;
using test::TempDir;
using test::Words;

namespace {

namespace fs = std::filesystem;

constexpr int kUsage = 2;
constexpr int kStopped = 75;

ProgramResult train(const Words& words, const ProgramOptions& options = {}) {
  return test::run_program(VAECUDA_TRAIN_PATH, words, options);
}

/// A run of a second or so.
Words small_run(const fs::path& out) {
  return {"--data",
          "shapes:16x16x1,n=400",
          "--test-fraction",
          "0.1",
          "--valid-fraction",
          "0.1",
          "--hidden",
          "32",
          "--latent-dim",
          "2",
          "--epochs",
          "2",
          "--device",
          "cpu",
          "--seed",
          "3",
          "--out",
          out.string()};
}

void check_refused(const Words& words, int exit_code, std::string_view part) {
  test::check_refuses(VAECUDA_TRAIN_PATH, words, exit_code, part);
}

}  // namespace

TEST_CASE("--explain prints the plan and writes nothing", "[cli]") {
  TempDir folder;
  ProgramOptions options;
  options.working_directory = folder.path().string();
  const ProgramResult result =
      train({"--data", "shapes:16x16x1,n=400", "--device", "cpu", "--explain", "--quiet"}, options);
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(contains(result.out, "LatentForward"));
  CHECK(result.err.empty());
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("--explain answers for a folder that holds a run, and leaves it alone", "[cli]") {
  TempDir folder;
  ProgramOptions options;
  options.working_directory = folder.path().string();
  const Words run = {"--data", "shapes:16x16x1,n=40", "--device", "cpu", "--steps", "1", "--out", "run"};
  REQUIRE(train(run, options).exit_code == 0);
  const std::string model = read_file(folder.path() / "run" / "model.safetensors");
  for (const char* overwrite : {"false", "true"}) {
    const ProgramResult result =
        train(run + Words{"--explain", std::string("--overwrite=") + overwrite}, options);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK(contains(result.out, "LatentForward"));
    CHECK(read_file(folder.path() / "run" / "model.safetensors") == model);
  }
}

TEST_CASE("a line of progress comes every five seconds, however short the epochs are", "[cli]") {
  const TempDir folder;
  const auto begun = std::chrono::steady_clock::now();
  const ProgramResult run =
      train({"--data", "shapes:16x16x1,n=400", "--valid-fraction", "0.1", "--hidden", "8", "--latent-dim",
             "2", "--device", "cpu", "--epochs", "200", "--out", (folder.path() / "run").string()});
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(contains(run.err, "epoch 1/200  "));
  CHECK(contains(run.err, "epoch 200/200  "));
  std::size_t lines = 0;
  for (std::size_t at = run.err.find("epoch "); at != std::string::npos;
       at = run.err.find("epoch ", at + 1)) {
    if (run.err.find("/200  step", at) < at + 12) ++lines;
  }
  CHECK(lines >= 2);
  CHECK(static_cast<double>(lines) <= 3.0 + taken.count() / 5.0);
}

TEST_CASE("a run writes its folder, repeats from its config.toml, and does not overwrite unasked", "[cli]") {
  TempDir folder;
  const fs::path first = folder.path() / "first";
  const fs::path second = folder.path() / "second";
  const ProgramResult run = train(small_run(first));
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.empty());
  CHECK(contains(run.err, "epoch 1/2"));
  CHECK(contains(run.err, "epoch 2/2"));
  CHECK_FALSE(contains(run.err, "\r"));
  CHECK_FALSE(contains(run.err, "\x1b"));
  for (const std::string_view name :
       {"config.toml", "metrics.jsonl", "model.safetensors", "last.safetensors", "report.html"}) {
    INFO(name);
    CHECK(fs::is_regular_file(first / name));
  }

  const ProgramResult repeat =
      train({"--config", (first / "config.toml").string(), "--out", second.string()});
  INFO(repeat.err);
  REQUIRE(repeat.exit_code == 0);
  CHECK(read_file(second / "model.safetensors") == read_file(first / "model.safetensors"));
  CHECK(read_file(second / "last.safetensors") == read_file(first / "last.safetensors"));

  const std::string model = read_file(first / "model.safetensors");
  check_refused(small_run(first), kUsage, first.string());
  CHECK(read_file(first / "model.safetensors") == model);
  CHECK(train(small_run(first) + Words{"--overwrite", "--quiet", "--no-report"}).exit_code == 0);
  CHECK(read_file(first / "model.safetensors") == model);
  CHECK_FALSE(fs::exists(first / "report.html"));

  // A page that cannot be written takes nothing from the run.
  const fs::path third = folder.path() / "third";
  fs::create_directories(third / "report.html" / "in the way");
  const ProgramResult without = train(small_run(third));
  INFO(without.err);
  CHECK(without.exit_code == 0);
  CHECK(contains(without.err, "warning: no report.html: "));
  CHECK(read_file(third / "model.safetensors") == model);
}

TEST_CASE("the command line overrules the configuration file", "[cli]") {
  TempDir folder;
  const fs::path out = folder.path() / "run";
  const std::string path = (folder.path() / "c.toml").string();
  std::ofstream(path) << "[data]\npath = \"shapes:16x16x1,n=400\"\n[model]\nhidden = [8]\nlatent_dim = 2\n"
                         "[train]\nepochs = 50\nseed = 9\ndevice = \"cpu\"\n";
  // --steps takes the place of the file's epochs; both on the command line would contradict each other.
  const ProgramResult run =
      train({"--config", path, "--steps", "3", "--latent_dim=4", "--json", "--out", out.string()});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(nlohmann::json::parse(run.out).at("steps") == 3);
  const RunConfig config = load_config((out / "config.toml").string());
  CHECK(config.model.latent_dim == 4);
  CHECK(config.model.hidden == std::vector<std::int64_t>{8});
  CHECK(config.train.seed == 9);
  CHECK(config.train.steps == 3);
  CHECK_FALSE(config.train.epochs.has_value());
}

TEST_CASE("--json prints exactly one document, --quiet silences the rest", "[cli]") {
  TempDir folder;
  const fs::path out = folder.path() / "run";
  const ProgramResult run = train(small_run(out) + Words{"--json", "--quiet"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  const auto json = nlohmann::json::parse(run.out);  // throws where anything follows the document
  CHECK(json.at("device").get<std::string>().substr(0, 3) == "cpu");
  CHECK(json.at("epochs") == 2);
  CHECK(json.at("steps") == 5);  // ceil(2 · 320 / 128)
  CHECK(json.at("seconds").is_number());
  CHECK(json.at("samples_per_second").is_number());
  // Encoder 256-32-2·2, decoder 2-32-256, with biases.
  CHECK(json.at("parameters") == 256 * 32 + 32 + 32 * 4 + 4 + 2 * 32 + 32 + 32 * 256 + 256);
  CHECK(json.at("device_bytes").get<std::int64_t>() > 0);
  for (const std::string_view part : {"train", "valid", "test"}) {
    const auto& terms = json.at(std::string(part));
    INFO(part);
    CHECK(terms.at("loss").get<double>() ==
          Approx(terms.at("reconstruction").get<double>() + terms.at("kl").get<double>()).epsilon(1e-4));
  }
  CHECK(json.at("best_epoch").get<int>() >= 1);
  CHECK(json.at("stopped_early") == false);
  CHECK(fs::is_regular_file(json.at("model").get<std::string>()));
}

TEST_CASE("what a run does not have is null in its document", "[cli]") {
  TempDir folder;
  const ProgramResult run =
      train({"--data", "shapes:16x16x1,n=400", "--hidden", "none", "--latent-dim", "2", "--steps", "2",
             "--device", "cpu", "--json", "--out", (folder.path() / "run").string()});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const auto json = nlohmann::json::parse(run.out);
  CHECK(json.at("valid").is_null());
  CHECK(json.at("test").is_null());
}

TEST_CASE("a signal ends a run after saving", "[cli]") {
  TempDir folder;
  const fs::path out = folder.path() / "run";
  ProgramOptions options;
  options.signal = SIGTERM;
  options.signal_after = "epoch 1/";
  const ProgramResult run = train({"--data", "shapes:16x16x1,n=400", "--hidden", "8", "--latent-dim", "2",
                                   "--epochs", "100000000", "--device", "cpu", "--out", out.string()},
                                  options);
  CHECK(run.exit_code == kStopped);
  CHECK(fs::is_regular_file(out / "last.safetensors"));
  CHECK(fs::is_regular_file(out / "config.toml"));
}
