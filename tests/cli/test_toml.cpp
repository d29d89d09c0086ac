// config.toml: what is written is read back the same, and whatever is wrong in a file is refused with its
// line.
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/model/model_document.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/toml_file.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

using namespace vaecuda;
using test::refusal;
using test::TomlFile;

namespace {

using Choices = std::vector<std::pair<std::string_view, std::string_view>>;

/// What decides which of the other options have an effect; each stands in one at least.
const std::vector<Choices> kKinds = {
    {{"model.likelihood", "gaussian"}, {"train.on_nonfinite", "restore"}, {"objective.capacity", "25"}},
    {{"model.latent", "deterministic"}, {"train.on_nonfinite", "skip"}},
    {{"model.latent", "vq"}, {"model.likelihood", "laplace"}},
    {{"model.latent", "vq"}, {"optimizer.codebook_update", "gradient"}},
    {{"objective.kind", "iwae"},
     {"model.likelihood", "zinb"},
     {"model.dispersion", "entry"},
     {"model.rate", "softplus"},
     {"model.library", "one"},
     {"model.input_transform", "l2"}}};

/// A kind's configuration, in which every other option that has an effect has an unusual value.
RunConfig unusual_config(const Choices& kind) {
  const std::map<std::string_view, std::string_view> values{
      {"data.path", "/data/quote\" back\\slash\ttab\nline\x7f# ünï.npy"},
      {"data.test", "t.npy"},
      {"data.test_fraction", "0.125"},
      {"data.valid", "v.npy"},
      {"data.valid_fraction", "0.1"},
      {"data.labels", "'single'"},
      {"data.label_column", "0"},
      {"data.normal_label", "true"},
      {"data.image", "7x5x3"},
      {"data.scale", "unit"},
      {"data.standardize", "true"},
      {"data.binarize", "stochastic"},
      {"model.hidden", "512,256,64"},
      {"model.latent_dim", "3"},
      {"model.activation", "gelu-tanh"},
      {"model.init", "glorot"},
      {"model.conditional", "true"},
      {"data.header", "no"},
      {"objective.latent_l2", "0.25"},
      {"model.codebook_size", "64"},
      {"model.codebooks", "16"},
      {"objective.commitment", "0.5"},
      {"optimizer.ema_decay", "0.95"},
      {"optimizer.restart_codes", "0.1"},
      {"model.sigma", "0.1234567890123456"},
      {"model.logvar_head", "logsigma"},
      {"objective.samples", "6"},
      {"model.output_bias", "data-mean"},
      {"objective.beta_schedule", "cyclical:period=30,ramp=0.25"},
      {"objective.capacity_steps", "1000"},
      {"objective.free_bits", "0.5"},
      {"objective.reduce", "sum"},
      {"optimizer.v_init", "1"},
      {"objective.beta", "4"},
      {"train.epochs", "7"},
      {"train.steps", "100000000000"},
      {"train.batch_size", "1"},
      {"train.seed", "18446744073709551615"},
      {"train.patience", "3"},
      {"train.init_from", "m.safetensors"},
      {"optimizer.lr", "1e-05"},
      {"optimizer.lr_schedule", "stages:3=0.5,9=1e-07"},
      {"optimizer.kind", "adamw"},
      {"optimizer.beta1", "0.5"},
      {"optimizer.beta2", "0.25"},
      {"optimizer.epsilon", "1e-20"},
      {"optimizer.weight_decay", "1e+10"},
      {"optimizer.clip_norm", "1"},
      {"train.device", "cuda:3"},
      {"train.threads", "5"},
      {"train.precision", "bf16"},
      {"train.autotune", "true"},
      {"output.dir", "out"},
      {"output.overwrite", "true"},
      {"train.max_restores", "9"},
      {"output.log_every", "17"},
      {"output.checkpoint_every", "11"},
      {"output.checkpoint_seconds", "2.5"}};
  RunConfig config;
  for (const auto& [key, text] : kind) find_option_by_key(key)->set(config, text, key);
  for (const Option& option : options()) {
    const auto found = values.find(option.key);
    if (found == values.end() || !option.applies(config)) continue;
    option.set(config, found->second, option.key);
    CHECK(option.get(config) != option.get(RunConfig{}));
  }
  return config;
}

void check_same(const RunConfig& a, const RunConfig& b) {
  for (const Option& option : options()) {
    INFO(option.key);
    CHECK(option.get(a) == option.get(b));
  }
}

}  // namespace

TEST_CASE("a configuration in which nothing is a default survives TOML", "[toml]") {
  std::set<std::string_view> written;
  for (const Choices& kind : kKinds) {
    const RunConfig config = unusual_config(kind);
    const std::string text = to_toml(config);
    INFO(text);
    const RunConfig copy = TomlFile(text).load();
    check_same(copy, config);
    CHECK(to_toml(copy) == text);
    for (const Option& option : options()) {
      INFO(option.key);
      const std::string name(option.key.substr(option.key.find('.') + 1));
      if (option.applies(config) && option.get(config) != option.get(RunConfig{})) {
        CHECK(text.find("\n" + name + " = ") != std::string::npos);
        written.insert(option.key);
      }
      if (!option.applies(config)) CHECK(option.get(config) == option.get(RunConfig{}));
    }
  }
  for (const Option& option : options()) {
    INFO("an option needs an unusual value here: " << option.key);
    CHECK(written.count(option.key) == 1);
  }
}

TEST_CASE("every option that a model file keeps survives one", "[toml][file]") {
  for (const Choices& kind : kKinds) {
    const RunConfig config = unusual_config(kind);
    ModelFile file;
    file.model = config.model;
    file.objective = config.objective;
    file.preparation.binarize = config::same_as<Binarize>(config.data.binarize);
    std::string document = write_model_document(file);
    const ModelFile read = read_model_document(document, "model").file;
    RunConfig kept;
    kept.model = read.model;
    kept.objective = read.objective;
    kept.data.binarize = config::same_as<BinarizeMode>(read.preparation.binarize);
    for (const Option& option : options()) {
      INFO(option.key);
      if (option.is_stored_in_model) CHECK(option.get(kept) == option.get(config));
    }
    CHECK(find_option_by_key("model.sigma")->get(kept) == find_option_by_key("model.sigma")->get(config));
  }
}

TEST_CASE("the default configuration survives TOML, and leaves unset options out", "[toml]") {
  const std::string text = to_toml(RunConfig{});
  check_same(TomlFile(text).load(), RunConfig{});
  CHECK(text.find("epochs") == std::string::npos);
  CHECK(text.find("image") == std::string::npos);
  CHECK(text.find("\n[model]\nhidden = [400]\nlatent_dim = 20\nlatent = \"gaussian\"\nconditional = "
                  "false\nactivation = \"relu\"\n") != std::string::npos);
  RunConfig linear;
  linear.model.hidden.clear();
  CHECK(to_toml(linear).find("\nhidden = []\n") != std::string::npos);
  CHECK(TomlFile(to_toml(linear)).load().model.hidden.empty());
}

TEST_CASE("a file changes what it names and nothing else", "[toml]") {
  test::TempDir folder;
  const std::string path = (folder.path() / "c.toml").string();
  std::ofstream(path) << "train.seed = 5\n[optimizer]\nlr = 1\n";
  RunConfig base;
  base.train.batch_size = 7;
  base.train.seed = 1;
  const RunConfig config = load_config(path, base);
  CHECK(config.train.seed == 5);
  CHECK(config.train.batch_size == 7);
  CHECK(config.optimizer.lr == 1.0);
}

TEST_CASE("unknown keys and tables are refused with their line and the nearest name", "[toml]") {
  CHECK(refusal("[train]\nseed = 1\nbacth_size = 3\n") ==
        "run.toml:3: unknown key 'train.bacth_size'; did you mean 'train.batch_size'?");
  CHECK(refusal("batch_size = 3\n") ==
        "run.toml:1: unknown key 'batch_size'; did you mean 'train.batch_size'?");
  CHECK(refusal("[model]\nlr = 0.1\n") == "run.toml:2: unknown key 'model.lr'; did you mean 'optimizer.lr'?");
  CHECK(refusal("\n[optimiser]\nlr = 0.1\n") ==
        "run.toml:2: unknown table 'optimiser'; did you mean 'optimizer'?");
  CHECK(refusal("[zebra]\n") == "run.toml:1: unknown table 'zebra'");
  CHECK(refusal("\"\" = 1\n").find("unknown key") != std::string::npos);
  CHECK(refusal("[train]\n\"se\\u0000ed\" = 1\n").find("unknown key") != std::string::npos);
}

TEST_CASE("values of the wrong type are refused with their line", "[toml]") {
  CHECK(refusal("[train]\nepochs = \"10\"\n") ==
        "run.toml:2: train.epochs: expected an integer, found a string");
  CHECK(refusal("[train]\nepochs = 1.0\n") ==
        "run.toml:2: train.epochs: expected an integer, found a floating-point number");
  CHECK(refusal("[optimizer]\nlr = true\n") ==
        "run.toml:2: optimizer.lr: expected a number, found a boolean");
  CHECK(refusal("[data]\nstandardize = 1\n") ==
        "run.toml:2: data.standardize: expected true or false, found an integer");
  CHECK(refusal("[data]\nlabel_column = 3\n") ==
        "run.toml:2: data.label_column: expected a string, found an integer; put the value in quotes");
  CHECK(refusal("[model]\nhidden = 400\n") ==
        "run.toml:2: model.hidden: expected an array of integers, found an integer");
  CHECK(refusal("[model]\nhidden = [400,\n 2.5]\n") ==
        "run.toml:3: model.hidden: expected an array of integers, found a floating-point number");
  CHECK(refusal("[model]\nsigma = true\n") ==
        "run.toml:2: model.sigma: expected a number or a string, found a boolean");
  CHECK(refusal("train = 3\n") == "run.toml:1: train: expected a table, found an integer");
  CHECK(refusal("[[train]]\nseed = 1\n").find("expected a table, found an array") != std::string::npos);
  CHECK(refusal("[train.seed]\nx = 1\n").find("expected an integer, found a table") != std::string::npos);
  CHECK(refusal("[train]\nseed = 1979-05-27\n").find("found a date or time") != std::string::npos);
}

TEST_CASE("values out of range are refused with their line", "[toml]") {
  CHECK(refusal("[train]\n\nbatch_size = 0\n") ==
        "run.toml:3: train.batch_size: '0' is not a whole number from 1 to 16777216");
  CHECK(refusal("[optimizer]\nlr = nan\n").find("'nan' is not a number from 1e-30") != std::string::npos);
  CHECK(refusal("[optimizer]\nlr = -inf\n").find("'-inf' is not a number from 1e-30") != std::string::npos);
  CHECK(refusal("[model]\nactivation = \"rellu\"\n").find("did you mean relu?") != std::string::npos);
  CHECK(refusal("[model]\nhidden = [400, -1]\n").find("run.toml:2: model.hidden: '-1'") == 0);
  CHECK(refusal("[data]\npath = \"a\\u0000b\"\n").find("run.toml:2: data.path: 'a\\x00b'") == 0);
  CHECK(refusal("[data]\npath = \"\"\n").find("is empty") != std::string::npos);
}

TEST_CASE("broken TOML is refused with its line", "[toml]") {
  for (const std::string text : {"[train\nseed = 1\n", "\n\nseed\n", "[train]\nseed = 1\nseed = 2\n",
                                 "[train]\nseed = 010\n", "[train]\nseed = 99999999999999999999\n",
                                 "[data]\npath = \"unclosed\n", "[data]\npath = \"\xff\"\n"}) {
    INFO(text);
    const std::string message = refusal(text);
    CHECK(message.substr(0, 9) == "run.toml:");
    CHECK(message.size() > 12);
  }
  CHECK(refusal("\n\nseed\n").substr(0, 11) == "run.toml:3:");
  CHECK(refusal("").empty());
}

TEST_CASE("a file that cannot be read is a file error", "[toml]") {
  test::TempDir folder;
  CHECK_THROWS_AS(load_config((folder.path() / "none.toml").string()), FileError);
  CHECK_THROWS_AS(load_config(folder.path().string()), FileError);
}
