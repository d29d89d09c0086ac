// vae_cuda_train as a program: what its command line says, and what it refuses before anything is written.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"
#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/version.hpp"

using namespace vaecuda;
using test::contains;
using test::operator+;
using test::ProgramOptions;
using test::ProgramResult;
using test::TempDir;
using test::Words;

namespace {

namespace fs = std::filesystem;

constexpr int kUsage = 2;
constexpr int kBadFile = 3;
constexpr int kNoDevice = 5;

ProgramResult train(const Words& words, const ProgramOptions& options = {}) {
  return test::run_program(VAECUDA_TRAIN_PATH, words, options);
}

/// Runs of white space as one blank: a text as it was before it was broken into lines.
std::string unwrapped(const std::string& text) {
  std::string words;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank || (!words.empty() && words.back() != ' ')) words += blank ? ' ' : c;
  }
  return words;
}

void check_refused(const Words& words, int exit_code, std::string_view part) {
  test::check_refuses(VAECUDA_TRAIN_PATH, words, exit_code, part);
}

bool has_gpu() {
  try {
    static_cast<void>(choose_device("cuda"));
    return true;
  } catch (const DeviceError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("--help lists every option, anywhere, whatever stands beside it", "[cli]") {
  const ProgramResult help = train({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.err.empty());
  for (const Option& option : options()) {
    INFO(option.flag);
    CHECK(contains(help.out, option.flag));
    CHECK(contains(unwrapped(help.out), option.help));
    CHECK(contains(help.out, std::string(option.group) + ":"));
  }
  for (const std::string_view flag : {"--config", "--json", "--quiet", "--explain", "--help", "--version"}) {
    CHECK(contains(help.out, flag));
  }
  const std::vector<Words> asked{
      {"-h"},     {"--epochs", "nan", "--help"}, {"--zebra", "-h"}, {"--out", "--help"}, {"-h", "--version"},
      {"x", "-h"}};
  for (const Words& words : asked) {
    const ProgramResult again = train(words);
    CHECK(again.exit_code == 0);
    CHECK(again.out == help.out);
    CHECK(again.err.empty());
  }
}

TEST_CASE("--version prints the version, whatever stands beside it", "[cli]") {
  for (const Words& words : std::vector<Words>{{"--version"}, {"--zebra", "--version"}}) {
    const ProgramResult result = train(words);
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
    CHECK(result.out.find(std::string("vae_cuda_train ") + version() + "\n") == 0);
  }
}

TEST_CASE("a full disk behind stdout is an error", "[cli]") {
  if (!fs::exists("/dev/full")) return;
  ProgramOptions options;
  options.stdout_path = "/dev/full";
  const ProgramResult result = train({"--help"}, options);
  CHECK(result.exit_code == 1);
  CHECK(contains(result.err, "error: cannot write to standard output"));
}

TEST_CASE("unknown options name the nearest one", "[cli]") {
  check_refused({"--bacth-size", "3"}, kUsage, "unknown option '--bacth-size'; did you mean --batch-size?");
  check_refused({"--epoch=3"}, kUsage, "unknown option '--epoch'; did you mean --epochs?");
  check_refused({"--jsn"}, kUsage, "did you mean --json?");
  check_refused({"-epochs", "3"}, kUsage, "did you mean --epochs?");
  check_refused({"--zebra"}, kUsage, "unknown option '--zebra'; --help lists all");
  check_refused({"-x"}, kUsage, "unknown option '-x'");
}

TEST_CASE("arguments that belong to no option are refused", "[cli]") {
  check_refused({"shapes"}, kUsage, "unexpected argument 'shapes'");
  check_refused({"--hidden", "400", "200"}, kUsage, "unexpected argument '200'");
  check_refused({"--overwrite", "false"}, kUsage, "unexpected argument 'false'");
  check_refused({"--", "--epochs"}, kUsage, "unexpected argument '--'");
}

TEST_CASE("an option takes exactly one value, once", "[cli]") {
  check_refused({"--lr", "1", "--lr", "2"}, kUsage, "--lr: given more than once");
  check_refused({"--lr=1", "--lr", "1"}, kUsage, "--lr: given more than once");
  check_refused({"--batch-size", "1", "--batch_size", "2"}, kUsage, "--batch-size: given more than once");
  check_refused({"--json", "--json"}, kUsage, "--json: given more than once");
  check_refused({"--data", "--epochs", "3"}, kUsage,
                "--data: needs a value, but the option --epochs follows");
  check_refused({"--json", "--data"}, kUsage, "--data: needs a value");
  check_refused({"--data=", "--epochs", "3"}, kUsage, "--data: the value is empty");
  check_refused({"--data", ""}, kUsage, "--data: the value is empty");
  check_refused({"--standardize="}, kUsage, "--standardize: the value is empty");
}

TEST_CASE("every option of the table refuses junk on the command line", "[cli]") {
  for (const Option& option : options()) {
    if (option.type == OptionType::text && option.range.empty()) continue;
    check_refused({std::string(option.flag) + "=1x"}, kUsage, std::string(option.flag) + ": '1x' is not ");
  }
  check_refused({"--batch-size", "-1"}, kUsage,
                "--batch-size: '-1' is not a whole number from 1 to 16777216");
  check_refused({"--seed", "010"}, kUsage, "--seed: '010' is not");
  check_refused({"--lr", "nan"}, kUsage, "--lr: 'nan' is not");
  check_refused({"--hidden", "[400,200]"}, kUsage, "--hidden: '[400' is not");
  check_refused({"--json=maybe"}, kUsage, "--json: 'maybe' is not true or false");
}

TEST_CASE("'_' is accepted for '-' in option names", "[cli]") {
  check_refused({"--batch_size", "0"}, kUsage, "--batch-size: '0' is not");
  check_refused({"--batch_size=0"}, kUsage, "--batch-size: '0' is not");
  check_refused({"--lr_schedule=cosine:min_=1"}, kUsage, "'min_'");
}

TEST_CASE("contradictory and missing options are refused before anything is written", "[cli]") {
  TempDir folder;
  const fs::path out = folder.path() / "run";
  const Words basic{"--data", "shapes:16x16x1,n=400", "--device", "cpu", "--out", out.string()};
  check_refused({}, kUsage, "--data");
  check_refused({"--data", "shapes"}, kUsage, "--out");
  check_refused({"--out", out.string()}, kUsage, "--data");
  check_refused(basic + Words{"--epochs", "1", "--steps", "1"}, kUsage, "--epochs and --steps");
  check_refused(basic + Words{"--valid", "v.npy", "--valid-fraction", "0.1"}, kUsage,
                "--valid and --valid-fraction");
  check_refused(basic + Words{"--test", "t.npy", "--test-fraction", "0.1"}, kUsage,
                "--test and --test-fraction");
  check_refused(basic + Words{"--test-fraction", "0.6", "--valid-fraction", "0.4"}, kUsage, "below 1");
  check_refused(basic + Words{"--standardize"}, kUsage, "--likelihood bernoulli and --standardize");
  check_refused(basic + Words{"--patience", "2"}, kUsage, "--patience");
  check_refused(basic + Words{"--sigma", "0.3"}, kUsage, "--sigma 0.3 needs a likelihood with a deviation");
  check_refused(basic + Words{"--json", "--explain"}, kUsage, "--json and --explain");
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("missing and broken files are input errors that name the file", "[cli]") {
  TempDir folder;
  const std::string out = (folder.path() / "run").string();
  const fs::path empty = folder.path() / "empty.npy";
  std::ofstream(empty).flush();
  check_refused({"--data", "/nonexistent/rows.npy", "--out", out, "--device", "cpu"}, kBadFile,
                "/nonexistent/rows.npy");
  check_refused({"--data", empty.string(), "--out", out, "--device", "cpu"}, kBadFile, "empty.npy");
  check_refused({"--config", "/nonexistent/run.toml"}, kBadFile, "/nonexistent/run.toml");
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("errors in a configuration file carry its line", "[cli]") {
  TempDir folder;
  const std::string path = (folder.path() / "run.toml").string();
  std::ofstream(path) << "[train]\nepoch = 3\n";
  check_refused({"--config", path}, kUsage,
                path + ":2: unknown key 'train.epoch'; did you mean 'train.epochs'?");
}

TEST_CASE("a GPU that is not there is a device error with its reason", "[cli]") {
  if (has_gpu()) {
    WARN("this machine has a GPU: the refusal of --device cuda is not tested");
    return;
  }
  TempDir folder;
  const std::string out = (folder.path() / "run").string();
  const ProgramResult result = train({"--data", "shapes:16x16x1,n=400", "--device", "cuda", "--out", out});
  INFO(result.err);
  CHECK(result.exit_code == kNoDevice);
  std::string reason;
  try {
    static_cast<void>(choose_device("cuda"));
  } catch (const DeviceError& error) {
    reason = error.what();
  }
  CHECK_FALSE(reason.empty());
  CHECK(contains(result.err, reason));
  CHECK_FALSE(fs::exists(out));
}
