// Options that contradict each other, and ranges of a configuration that was built in code.
#include <string>
#include <string_view>

#include "tests/support/catch.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

using namespace vaecuda;

TEST_CASE("contradictions are refused with both options", "[validate]") {
  const auto refuses = [](void (*change)(RunConfig&), std::string_view first, std::string_view second) {
    RunConfig config;
    config.data.train.path = "shapes";
    CHECK_NOTHROW(validate(config));
    change(config);
    try {
      validate(config);
    } catch (const ConfigError& error) {
      const std::string message = error.what();
      INFO(message);
      CHECK(message.find(first) != std::string::npos);
      CHECK(message.find(second) != std::string::npos);
      return;
    }
    FAIL_CHECK("accepted: " << first << " " << second);
  };
  refuses([](RunConfig& c) { c.data.train.path.clear(); }, "--data", "data.path");
  refuses([](RunConfig& c) { c.train.epochs = 1, c.train.steps = 1; }, "--epochs", "--steps");
  refuses([](RunConfig& c) { c.data.test_path = "t", c.data.test_fraction = 0.1; }, "--test ",
          "--test-fraction");
  refuses([](RunConfig& c) { c.data.valid_path = "v", c.data.valid_fraction = 0.1; }, "--valid ",
          "--valid-fraction");
  refuses([](RunConfig& c) { c.data.test_fraction = 0.5, c.data.valid_fraction = 0.5; },
          "--test-fraction 0.5", "below 1");
  refuses([](RunConfig& c) { c.data.standardize = true; }, "--likelihood bernoulli", "--standardize");
  refuses([](RunConfig& c) { c.train.batch_size = 1 << 20, c.objective.samples = 17; },
          "--batch-size 1048576", "--samples 17");
  refuses([](RunConfig& c) { c.model.latent = LatentKind::deterministic, c.objective.samples = 2; },
          "--samples", "--latent deterministic");
  refuses(
      [](RunConfig& c) {
        c.model.latent = LatentKind::deterministic;
        c.model.logvar_head = LogvarHead::logsigma;
      },
      "--logvar-head", "--latent deterministic");
  refuses(
      [](RunConfig& c) {
        c.model.likelihood = Likelihood::gaussian;
        c.data.standardize = true;
        c.data.binarize = BinarizeMode::threshold;
      },
      "--binarize", "--standardize");
  refuses([](RunConfig& c) { c.model.sigma_source = SigmaSource::learned; }, "--sigma learned",
          "bernoulli has none");
  refuses([](RunConfig& c) { c.model.conditional = true, c.data.normal_label = "0"; }, "--conditional",
          "--normal-label");
  refuses([](RunConfig& c) { c.objective.latent_l2 = 0.5; }, "--latent-l2", "--latent deterministic");
  refuses([](RunConfig& c) { c.model.latent = LatentKind::deterministic, c.objective.beta = 4.0; }, "--beta",
          "--latent deterministic");
  refuses([](RunConfig& c) { c.model.codebook_size = 64; }, "--codebook-size", "--latent vq");
  refuses([](RunConfig& c) { c.model.codebooks = 4; }, "--codebooks", "--latent vq");
  refuses([](RunConfig& c) { c.objective.commitment = 1.0; }, "--commitment", "--latent vq");
  refuses([](RunConfig& c) { c.optimizer.codebook_update = CodebookUpdate::gradient; }, "--codebook-update",
          "--latent vq");
  refuses([](RunConfig& c) { c.optimizer.ema_decay = 0.9; }, "--ema-decay", "--latent vq");
  refuses([](RunConfig& c) { c.optimizer.restart_codes = 0.1; }, "--restart-codes", "--latent vq");
  refuses([](RunConfig& c) { c.model.latent = LatentKind::vq, c.model.codebooks = 3; }, "--latent-dim 20",
          "--codebooks 3");
  refuses([](RunConfig& c) { c.model.latent = LatentKind::vq, c.objective.beta = 4.0; }, "--beta",
          "--latent vq");
  refuses([](RunConfig& c) { c.model.latent = LatentKind::vq, c.objective.samples = 2; }, "--samples",
          "--latent vq");
  refuses(
      [](RunConfig& c) {
        c.model.latent = LatentKind::vq;
        c.model.logvar_head = LogvarHead::logsigma;
      },
      "--logvar-head", "--latent vq");
  refuses([](RunConfig& c) { c.model.latent = LatentKind::vq, c.objective.latent_l2 = 0.5; }, "--latent-l2",
          "--latent deterministic");
  refuses(
      [](RunConfig& c) {
        c.model.latent = LatentKind::vq;
        c.optimizer.codebook_update = CodebookUpdate::gradient;
        c.optimizer.ema_decay = 0.9;
      },
      "--ema-decay", "--codebook-update ema");
  refuses(
      [](RunConfig& c) {
        c.model.latent = LatentKind::vq;
        c.optimizer.codebook_update = CodebookUpdate::gradient;
        c.optimizer.restart_codes = 0.1;
      },
      "--restart-codes", "--codebook-update ema");
  refuses([](RunConfig& c) { c.train.patience = 1; }, "--patience", "--valid");
  refuses([](RunConfig& c) { c.objective.capacity = 5.0, c.objective.free_bits = 1.0; }, "--capacity",
          "--free-bits");
  refuses([](RunConfig& c) { c.objective.capacity_steps = 5; }, "--capacity-steps", "--capacity");
  refuses([](RunConfig& c) { c.objective.kind = ObjectiveKind::iwae, c.objective.beta = 2.0; }, "--beta",
          "--objective iwae");
  refuses([](RunConfig& c) { c.objective.kind = ObjectiveKind::iwae, c.objective.free_bits = 2.0; },
          "--free-bits", "--objective iwae");
  refuses([](RunConfig& c) { c.objective.kind = ObjectiveKind::iwae, c.objective.capacity = 2.0; },
          "--capacity", "--objective iwae");
  refuses(
      [](RunConfig& c) {
        c.objective.kind = ObjectiveKind::iwae;
        c.objective.beta_schedule = {BetaScheduleKind::linear, 5, 0.5};
      },
      "--beta-schedule", "--objective iwae");
  refuses(
      [](RunConfig& c) {
        c.objective.kind = ObjectiveKind::iwae;
        c.model.latent = LatentKind::deterministic;
      },
      "--objective iwae", "--latent deterministic");
  refuses(
      [](RunConfig& c) {
        c.objective.free_bits = 0.5;
        c.model.latent = LatentKind::deterministic;
      },
      "--free-bits", "--latent deterministic");
}

TEST_CASE("a configuration built in code is held to the same ranges", "[validate]") {
  const auto message = [](void (*change)(RunConfig&)) {
    RunConfig config;
    config.data.train.path = "shapes";
    change(config);
    try {
      validate(config);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string{};
  };
  CHECK(message([](RunConfig& c) { c.train.batch_size = -3; }).find("train.batch_size: '-3'") == 0);
  CHECK(message([](RunConfig& c) {
          c.optimizer.lr = std::numeric_limits<double>::quiet_NaN();
        }).find("optimizer.lr: 'nan'") == 0);
  CHECK(message([](RunConfig& c) {
          c.optimizer.schedule = {.kind = LrScheduleKind::stages, .stages = {{5, 0.1}, {3, 0.2}}};
        }).find("optimizer.lr_schedule: epoch: '3' is not later than 5") == 0);
  CHECK(message([](RunConfig& c) {
          c.optimizer.schedule.kind = LrScheduleKind::stages;
        }).find("optimizer.lr_schedule") == 0);
  CHECK(message([](RunConfig& c) { c.model.hidden = {0}; }).find("model.hidden: '0'") == 0);
  CHECK(message([](RunConfig& c) { c.data.train.image = ImageShape{0, 1, 1}; }).find("data.image") == 0);
  CHECK(message([](RunConfig& c) {
          c.train.precision = static_cast<Precision>(9);
        }).find("train.precision: '9'") == 0);
  CHECK(message([](RunConfig& c) { c.data.train.path = "\xff"; }).find("data.path") == 0);
}
