// Every kind of model and objective: k steps and then N − k leave what N steps at once leave.
// VAECUDA_EVERY_STEP=1 tries every k; without it a few, within epochs and at their ends.
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "support/resumed_runs.hpp"
#include "support/run_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

void quantize(RunConfig& config) {
  config.model.latent = LatentKind::vq;
  config.model.latent_dim = 4;
  config.model.codebooks = 2;
  config.model.codebook_size = 6;
}

struct Member {
  const char* name;
  void (*change)(RunConfig&);
};

/// The models and optimizers that there are; a new kind is a new line.
const std::vector<Member>& family() {
  static const std::vector<Member> kFamily = {
      {"bernoulli", [](RunConfig&) {}},
      {"gaussian, standardized, tanh",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.data.standardize = true;
         c.model.activation = Activation::tanh;
       }},
      {"clipped, adamw, exponential",
       [](RunConfig& c) {
         c.optimizer.clip_norm = 0.5;
         c.optimizer.kind = OptimizerKind::adamw;
         c.optimizer.weight_decay = 0.01;
         c.optimizer.schedule.kind = LrScheduleKind::exponential;
         c.optimizer.schedule.gamma = 0.9;
       }},
      {"stochastic binarization, no hidden layer, stages, patience",
       [](RunConfig& c) {
         c.data.binarize = BinarizeMode::stochastic;
         c.model.hidden = {};
         c.train.patience = 40;
         c.optimizer.schedule.kind = LrScheduleKind::stages;
         c.optimizer.schedule.stages = {{3, 5e-4}, {6, 1e-4}};
       }},
      {"batches larger than the data, beta, skipping",
       [](RunConfig& c) {
         c.train.batch_size = 64;
         c.objective.beta = 3.0;
         c.train.on_nonfinite = NonfiniteAction::skip;
       }},
      {"deterministic latent with a penalty, skipping",
       [](RunConfig& c) {
         c.model.latent = LatentKind::deterministic;
         c.objective.latent_l2 = 0.1;
         c.train.on_nonfinite = NonfiniteAction::skip;
       }},
      {"several samples, the code's scale as log sigma, skipping",
       [](RunConfig& c) {
         c.objective.samples = 3;
         c.model.logvar_head = LogvarHead::logsigma;
         c.train.on_nonfinite = NonfiniteAction::skip;
       }},
      {"without validation", [](RunConfig& c) { c.data.valid_fraction = 0.0; }},
      {"codes by moving averages, restarted",
       [](RunConfig& c) {
         quantize(c);
         c.optimizer.ema_decay = 0.8;
         c.optimizer.restart_codes = 0.3;
       }},
      {"codes by moving averages, skipping",
       [](RunConfig& c) {
         quantize(c);
         c.train.on_nonfinite = NonfiniteAction::skip;
       }},
      {"codes by the optimizer, clipped",
       [](RunConfig& c) {
         quantize(c);
         c.optimizer.codebook_update = CodebookUpdate::gradient;
         c.optimizer.clip_norm = 0.5;
       }},
      {"conditional, output bias from the data",
       [](RunConfig& c) {
         c.data.train.labels_path = write_labels(fs::path(c.data.train.path).parent_path());
         c.model.conditional = true;
         c.model.output_bias = OutputBias::data_mean;
       }},
      {"laplace, one learned sigma",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::laplace;
         c.model.sigma_source = SigmaSource::learned;
       }},
      {"gaussian, one learned sigma, skipping",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.model.sigma_source = SigmaSource::learned;
         c.train.on_nonfinite = NonfiniteAction::skip;
       }},
      {"gaussian, sigma from the decoder",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.model.sigma_source = SigmaSource::head;
       }},
      {"importance-weighted bound",
       [](RunConfig& c) {
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.samples = 4;
       }},
      {"importance-weighted bound, learned sigma, skipping, moments from one",
       [](RunConfig& c) {
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.samples = 3;
         c.model.likelihood = Likelihood::gaussian;
         c.model.sigma_source = SigmaSource::learned;
         c.train.on_nonfinite = NonfiniteAction::skip;
         c.optimizer.v_init = 1;
       }},
      {"capacity that rises, skipping",
       [](RunConfig& c) {
         c.objective.capacity = 2.0;
         c.objective.capacity_steps = 30;
         c.train.on_nonfinite = NonfiniteAction::skip;
       }},
      {"free bits, beta that rises, sums over rows",
       [](RunConfig& c) {
         c.objective.free_bits = 0.05;
         c.objective.beta_schedule = {BetaScheduleKind::linear, 25, 0.5};
         c.objective.reduce = Reduction::sum;
       }},
      {"beta in cycles",
       [](RunConfig& c) {
         c.objective.beta_schedule = {BetaScheduleKind::cyclical, 12, 0.5};
       }},
      {"codes by moving averages, moments from one",
       [](RunConfig& c) {
         quantize(c);
         c.optimizer.v_init = 1;
       }},
  };
  return kFamily;
}

bool every_step() {
  return std::getenv("VAECUDA_EVERY_STEP") != nullptr;
}

}  // namespace

TEST_CASE("a run that was stopped after any step ends as if it had not been", "[resume]") {
  const TempDir dir;
  RunConfig config = small_run(dir.path());
  config.optimizer.schedule.kind = LrScheduleKind::cosine;
  config.optimizer.schedule.warmup_steps = 10;
  config.optimizer.clip_norm = 1.0;
  const RunFiles expected = train_at_once(config, dir.path() / "whole");
  for (std::int64_t k = 1; k <= kSteps; k += every_step() ? 1 : 7) {
    INFO("step " << k);
    const fs::path out = dir.path() / std::to_string(k);
    train_until(config, out, k);
    resume(out);
    CHECK(RunFiles(out).difference(expected) == "");
  }
}

TEST_CASE("every model of the family resumes", "[resume]") {
  const TempDir dir;
  for (const Member& member : family()) {
    INFO(member.name);
    RunConfig config = small_run(dir.path());
    member.change(config);
    const fs::path base = dir.path() / member.name;
    const RunFiles expected = train_at_once(config, base / "whole");
    for (std::int64_t k = every_step() ? 1 : 18; k < kSteps; k += every_step() ? 1 : 18) {
      INFO("step " << k);
      const fs::path out = base / std::to_string(k);
      train_until(config, out, k);
      resume(out);
      CHECK(RunFiles(out).difference(expected) == "");
    }
  }
}

}  // namespace vaecuda::test
