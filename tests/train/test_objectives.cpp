// What every objective of docs/models.md reaches on `shapes`, where the mean picture costs about 75 nats.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {
namespace {

struct Learned {
  double first_loss = 0.0;  ///< of the first epoch
  TrainSummary end;
  [[nodiscard]] const std::vector<double>& kl_per_latent() const { return end.valid->latents->kl; }
};

Learned train_with(const std::function<void(RunConfig&)>& change) {
  const TempDir dir;
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=600";
  config.data.valid_fraction = 0.1;
  config.model.hidden = {48};
  config.model.latent_dim = 6;
  config.train.device = "cpu";
  config.train.batch_size = 64;
  config.train.epochs = 30;
  config.output.dir = (dir.path() / "run").string();
  change(config);
  Learned learned;
  TrainObserver observer;
  observer.progress = [&](const Progress& now) {
    if (now.epoch_end && learned.first_loss == 0.0) learned.first_loss = now.train.loss;
  };
  learned.end = Trainer(config, observer).run();
  REQUIRE(learned.end.valid);
  REQUIRE(learned.end.valid->latents);
  return learned;
}

}  // namespace

TEST_CASE("every objective learns, and no latent collapses", "[train][objectives]") {
  struct Case {
    std::string name;
    std::function<void(RunConfig&)> change;
    double bar;  ///< nats of training loss; what was measured stands behind it
  };
  const std::vector<Case> cases = {
      {"elbo", [](RunConfig&) {}, 55.0},                                                           // 42.4
      {"three samples", [](RunConfig& c) { c.objective.samples = 3; }, 55.0},                      // 41.9
      {"log sigma head", [](RunConfig& c) { c.model.logvar_head = LogvarHead::logsigma; }, 58.0},  // 46.0
      {"importance-weighted",
       [](RunConfig& c) {
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.samples = 5;
       },
       52.0},  // 39.4
      {"linear warm-up",
       [](RunConfig& c) {
         c.objective.beta_schedule = {BetaScheduleKind::linear, 100, 0.5};
       },
       55.0},  // 42.8
      {"cycles",
       [](RunConfig& c) {
         c.objective.beta_schedule = {BetaScheduleKind::cyclical, 90, 0.5};
       },
       55.0},  // 42.1
      {"the importance-weighted paper's optimizer",
       [](RunConfig& c) {
         c.model.activation = Activation::tanh;
         c.model.init = Initialization::glorot;
         c.model.logvar_head = LogvarHead::logsigma;
         c.model.output_bias = OutputBias::data_mean;
         c.objective.reduce = Reduction::sum;
         c.train.batch_size = 20;
         c.optimizer.beta1 = 0.99;
         c.optimizer.epsilon = 1e-4;
         c.optimizer.v_init = 1;
       },
       42.0}};  // 29.8
  for (const Case& objective : cases) {
    INFO(objective.name);
    const Learned learned = train_with(objective.change);
    CHECK(learned.end.train.loss < objective.bar);
    CHECK(learned.first_loss > learned.end.train.loss + 20.0);
    CHECK(learned.end.valid->latents->active_units == 6);
  }
}

TEST_CASE("what weighs or holds the KL does so", "[train][objectives]") {
  const double usual = train_with([](RunConfig&) {}).end.train.kl;  // 7.4
  const Learned weighed = train_with([](RunConfig& c) { c.objective.beta = 4.0; });
  CHECK(weighed.end.train.kl < 0.5 * usual);       // 1.25
  CHECK(weighed.end.train.reconstruction < 65.0);  // 53.4
  CHECK(weighed.end.train.loss < weighed.first_loss - 20.0);

  const Learned held = train_with([](RunConfig& c) {
    c.objective.beta = 10.0;
    c.objective.capacity = 4.0;
    c.objective.capacity_steps = 50;
  });
  CHECK(std::fabs(held.end.train.kl - 4.0) < 1.0);
  CHECK(held.end.train.reconstruction < 65.0);

  const Learned freed = train_with([](RunConfig& c) {
    c.objective.beta = 4.0;
    c.objective.free_bits = 0.5;
  });
  // What beta alone lets go stays near the nats that cost nothing.
  for (const double kl : freed.kl_per_latent()) CHECK(kl > 0.25);
  const auto& alone = weighed.kl_per_latent();
  CHECK(*std::min_element(alone.begin(), alone.end()) < 0.2);
}

}  // namespace vaecuda::test
