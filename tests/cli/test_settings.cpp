// Options that not every kind of run has: where they have an effect, what is written, and what giving one
// means.
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/toml_file.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

using namespace vaecuda;
using test::refusal;
using test::TomlFile;

TEST_CASE("only what has an effect is written", "[toml]") {
  RunConfig config;
  const auto has = [&config](std::string_view line) {
    return to_toml(config).find(line) != std::string::npos;
  };
  CHECK(has("\nbeta = 1.0\n"));
  CHECK_FALSE(has("\nsigma = "));
  CHECK_FALSE(has("\ncodebook_size = "));
  CHECK_FALSE(has("\nlatent_l2 = "));
  CHECK_FALSE(has("\nmax_restores = "));
  config.model.latent = LatentKind::vq;
  config.model.likelihood = Likelihood::gaussian;
  CHECK_FALSE(has("\nbeta = "));
  CHECK(has("\nsigma = 0.3\n"));
  CHECK(has("\ncodebook_size = 512\n"));
  CHECK(has("\nema_decay = 0.99\n"));
  config.optimizer.codebook_update = CodebookUpdate::gradient;
  CHECK_FALSE(has("\nema_decay = "));
}

TEST_CASE("a file's setting without effect is refused with its line, but a usual one", "[toml]") {
  // Files of older versions hold every option.
  CHECK(refusal("[model]\nlatent = \"vq\"\nsigma = 0.3\n[objective]\nbeta = 1.0\n").empty());
  CHECK(refusal("[objective]\nbeta = 2.0\n[model]\nlatent = \"vq\"\n")
            .find("run.toml:2: objective.beta: --beta and --latent vq") == 0);
  CHECK(refusal("[model]\nsigma = 0.5\n").find("run.toml:2: model.sigma: --sigma 0.5 needs a likelihood") ==
        0);
  CHECK(refusal("[train]\nmax_restores = 3\n").empty());
  CHECK_FALSE(refusal("[train]\nmax_restores = 4\n").empty());
}

TEST_CASE("what a file gives yields to a later choice, what a person gives does not", "[toml][validate]") {
  RunConfig config =
      TomlFile("[data]\npath = \"x\"\n[model]\nlikelihood = \"gaussian\"\nsigma = 0.5\n").load();
  CHECK(config.model.sigma == 0.5);
  CHECK_FALSE(config.model.sigma.is_given());
  config.model.likelihood = Likelihood::bernoulli;
  CHECK_NOTHROW(validate(config));
  CHECK(to_toml(config).find("sigma") == std::string::npos);
  config.model.sigma = 0.5;
  CHECK_THROWS_AS(validate(config), ConfigError);
}

TEST_CASE("a usual value that was given is given", "[validate]") {
  const auto given = [](auto&& change) {
    RunConfig config;
    config.data.train.path = "x";
    change(config);
    try {
      validate(config);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(given([](RunConfig&) {}).empty());
  CHECK(given([](RunConfig& c) { c.model.latent = LatentKind::vq; }).empty());
  CHECK(given([](RunConfig& c) {
          c.model.latent = LatentKind::vq, c.objective.beta = 1.0;
        }).find("--beta and --latent vq") == 0);
  CHECK(given([](RunConfig& c) { c.model.codebook_size = 512; }) ==
        "--codebook-size needs --latent vq: other latents have no codebook");
  CHECK(given([](RunConfig& c) {
          c.model.sigma = kDefaultSigma;
        }).find("--sigma 0.3 needs a likelihood with a deviation") == 0);
  CHECK(given([](RunConfig& c) {
          c.train.max_restores = 3;
        }).find("--max-restores needs --on-nonfinite restore") == 0);
  for (const Option& option : options()) {
    if (option.why_idle == nullptr) continue;
    INFO(option.key);
    REQUIRE(option.is_given != nullptr);
    RunConfig config;
    CHECK_FALSE(option.is_given(config));
    option.set(config, option.get(config), option.key);
    CHECK(option.is_given(config));
    option.take_as_usual(config);
    CHECK_FALSE(option.is_given(config));
    option.set(config, option.get(config), option.key);
    option.forget(config);
    CHECK_FALSE(option.is_given(config));
    CHECK(option.get(config) == option.get(RunConfig{}));
  }
}
