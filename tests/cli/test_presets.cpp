// Presets: every one is a configuration that the option table allows, and the command line finds it.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/presets.hpp"

using namespace vaecuda;

namespace {

std::string refusal(std::string_view name) {
  try {
    static_cast<void>(load_preset(name));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}

test::ProgramResult train(const std::vector<std::string>& words) {
  return test::run_program(VAECUDA_TRAIN_PATH, words);
}

}  // namespace

TEST_CASE("every preset is a valid configuration without data", "[presets]") {
  REQUIRE(presets().size() >= 5);
  std::set<std::string_view> names;
  for (const Preset& preset : presets()) {
    INFO(preset.name);
    CHECK(names.insert(preset.name).second);
    CHECK(preset.summary.size() > 20);
    RunConfig config = load_preset(preset.name);
    CHECK(config.data.train.path.empty());
    CHECK(config.output.dir.empty());
    config.data.train.path = "shapes";
    CHECK_NOTHROW(validate(config));
    // It is the file that lies in presets/.
    std::ifstream file(std::filesystem::path(VAECUDA_SOURCE_DIR) / "presets" /
                       (std::string(preset.name) + ".toml"));
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == preset.toml);
  }
}

TEST_CASE("presets say what the papers and programs say", "[presets]") {
  const RunConfig tutorial = load_preset("pytorch-example");
  CHECK(tutorial.model.hidden == std::vector<std::int64_t>{400});
  CHECK(tutorial.train.epochs == 10);
  const RunConfig pythae = load_preset("pythae-mlp");
  REQUIRE(pythae.optimizer.schedule.stages.size() == 2);
  CHECK(pythae.optimizer.schedule.stages[1].lr == Approx(1e-4 * std::pow(10.0, -0.4)));
  const RunConfig anomaly = load_preset("anomaly");
  CHECK(anomaly.data.standardize);
  CHECK(anomaly.model.sigma == 1.0);
  const RunConfig iwae = load_preset("iwae-paper");
  const auto& stages = iwae.optimizer.schedule.stages;
  REQUIRE(stages.size() == 7);  // after the first
  std::int64_t epochs = 0;
  std::int64_t length = 1;  // of stage i: 3^(i - 1) epochs
  for (int i = 1; i <= 8; ++i) {
    const double lr = 1e-4 * std::round(10.0 * std::pow(10.0, 1.0 - (i - 1) / 7.0)) / 10.0;
    const std::size_t before = static_cast<std::size_t>(i) - 2;
    CHECK((i == 1 ? iwae.optimizer.lr : stages[before].lr) == Approx(lr));
    if (i > 1) CHECK(stages[before].epoch == epochs);
    epochs += length;
    length *= 3;
  }
  CHECK(iwae.train.epochs.value() == epochs);
  CHECK(iwae.optimizer.v_init == 1);
  CHECK(load_preset("beta-vae").objective.beta == 4.0);
  CHECK(load_preset("aevb").model.activation == Activation::tanh);
  CHECK(load_preset("nb-counts").model.likelihood == Likelihood::nb);
  CHECK(load_preset("nb-counts").model.input_transform == InputTransform::log1p);
  CHECK(load_preset("poisson-counts").model.likelihood == Likelihood::poisson);
}

TEST_CASE("an unknown preset names the nearest", "[presets]") {
  CHECK(refusal("anomly").find("did you mean anomaly?") != std::string::npos);
  CHECK(refusal("nonsense").find("'nonsense' is none of aevb, anomaly") != std::string::npos);
  const test::ProgramResult result = train({"--preset", "pytorch-exmple", "--data", "shapes", "--explain"});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("did you mean pytorch-example?") != std::string::npos);
}

TEST_CASE("the command line overrules the file, the file the preset", "[presets]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "c.toml").string();
  std::ofstream(path) << "[model]\nlatent_dim = 3\n[train]\nsteps = 5\n";
  const test::ProgramResult result = train({"--preset", "pytorch-example", "--config", path, "--hidden", "7",
                                            "--data", "shapes:16x16,n=128", "--device", "cpu", "--explain"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("batch 128") != std::string::npos);  // the preset's
  CHECK(result.out.find("z(128,3)") != std::string::npos);   // the file's
  CHECK(result.out.find("5 steps in all") != std::string::npos);
  CHECK(result.out.find("encoder.0(128,7)") != std::string::npos);
}

TEST_CASE("--help lists every preset in one line", "[presets]") {
  const test::ProgramResult result = train({"--help"});
  for (const Preset& preset : presets()) {
    CHECK(result.out.find(std::string(preset.name) + " ") != std::string::npos);
    CHECK(result.out.find(std::string(preset.summary)) != std::string::npos);
  }
}
