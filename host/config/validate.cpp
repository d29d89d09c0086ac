// Contradictions between options.
#include <fmt/format.h>

#include "host/config/limits.hpp"
#include "host/config/scopes.hpp"
#include "host/latents/latent.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/likelihood.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

/// Configurations built in code have not passed through Option::set; their values are checked by it here.
void check_ranges(const RunConfig& config) {
  RunConfig scratch;
  for (const Option& option : options()) {
    const std::string text = option.get(config);
    if (!text.empty()) option.set(scratch, text, option.key);
  }
}

void check_data(const DataConfig& data) {
  if (data.train.path.empty()) {
    throw ConfigError(
        "no data to train on: --data (data.path) names a file, a folder or the built-in set 'shapes'");
  }
  if (!data.test_path.empty() && data.test_fraction > 0.0) {
    throw ConfigError(
        "--test and --test-fraction contradict each other: the test rows come from a file or are set aside "
        "from the training rows, not both");
  }
  if (!data.valid_path.empty() && data.valid_fraction > 0.0) {
    throw ConfigError(
        "--valid and --valid-fraction contradict each other: the validation rows come from a file or are set "
        "aside from the training rows, not both");
  }
  if (data.test_fraction + data.valid_fraction >= 1.0) {
    throw ConfigError(fmt::format(
        "--test-fraction {} and --valid-fraction {} leave no row to train on: their sum has to be below 1",
        data.test_fraction, data.valid_fraction));
  }
  if (data.standardize && data.binarize != BinarizeMode::none) {
    throw ConfigError(
        "--binarize and --standardize contradict each other: binarizing makes every value 0 or 1, which "
        "standardizing would undo");
  }
}

/// A count is a whole number and stays one.
void check_counts(const RunConfig& config, std::string_view likelihood) {
  const char* const changed = config.data.standardize                      ? "--standardize"
                              : config.data.binarize != BinarizeMode::none ? "--binarize"
                              : config.data.scale == ScaleMode::by_255     ? "--scale 255"
                              : config.data.scale == ScaleMode::by_largest ? "--scale largest"
                              : config.data.scale == ScaleMode::unit       ? "--scale unit"
                                                                           : "";
  if (*changed != '\0') {
    throw ConfigError(
        fmt::format("--likelihood {} and {} contradict each other: it is a probability of counts as they "
                    "are; for the encoder "
                    "alone use --input-transform log1p",
                    likelihood, changed));
  }
  const bool has_parameters =
      traits_of(config.model.likelihood).has_dispersion && config.model.dispersion != Dispersion::entry;
  if (config.optimizer.weight_decay > 0.0 && has_parameters) {
    throw ConfigError(fmt::format(
        "--likelihood {} and --weight-decay contradict each other: it would pull the dispersions, which are "
        "parameters, towards 1; leave it out, or use --dispersion entry",
        likelihood));
  }
}

void check_likelihood(const RunConfig& config) {
  const LikelihoodTraits traits = traits_of(config.model.likelihood);
  if (traits.domain == ValueDomain::count) check_counts(config, traits.name);
  if (traits.domain == ValueDomain::unit && config.data.standardize) {
    throw ConfigError(
        fmt::format("--likelihood {} and --standardize contradict each other: its targets lie in [0,1], and "
                    "standardized values do not; use --likelihood gaussian for them",
                    traits.name));
  }
}

void check_kl_term(const ObjectiveConfig& objective) {
  if (objective.capacity > 0.0 && objective.free_bits > 0.0) {
    throw ConfigError(
        "--capacity and --free-bits contradict each other: one holds the KL of all latents at a value, the "
        "other that of each above one");
  }
  const char* const held = objective.capacity > 0.0    ? "--capacity"
                           : objective.free_bits > 0.0 ? "--free-bits"
                                                       : "";
  if (objective.beta == 0.0 && *held != '\0') {
    throw ConfigError(
        fmt::format("--beta 0 and {} contradict each other: with weight 0 the KL term has no effect, "
                    "whatever its target; leave it out, or give a --beta above 0",
                    held));
  }
  if (objective.beta == 0.0 && objective.beta_schedule->kind != BetaScheduleKind::constant) {
    throw ConfigError(
        "--beta 0 and --beta-schedule contradict each other: the schedule multiplies beta, and the KL term "
        "would have the weight 0 in every step; leave the schedule out, or give a --beta above 0");
  }
  if (objective.beta_schedule->kind == BetaScheduleKind::cyclical && objective.beta_schedule->steps == 1) {
    throw ConfigError(
        "--beta-schedule cyclical:period=1: the first step of a period has the weight 0, and a period of one "
        "step has no other: the KL term would never have a weight; choose a period of 2 steps or more");
  }
}

void check_objective(const RunConfig& config) {
  const std::int64_t batch = config.train.batch_size;
  const std::int64_t samples = config.objective.samples;
  if (samples > config::kBatchSize.max / batch) {
    throw ConfigError(
        fmt::format("--batch-size {} with --samples {} makes {} rows of the decoder; at most {} are possible",
                    batch, samples, batch * samples, config::kBatchSize.max));
  }
  check_kl_term(config.objective);
}

void check_condition(const RunConfig& config) {
  if (config.model.conditional && !config.data.normal_label.empty()) {
    throw ConfigError(
        "--conditional and --normal-label contradict each other: all training rows have one label, which "
        "tells a model nothing");
  }
}

void check_lr_schedule(const OptimizerConfig& optimizer) {
  if (optimizer.schedule.kind != LrScheduleKind::exponential) return;
  const double second = optimizer.lr * optimizer.schedule.gamma;
  if (second >= config::kLearningRate.min) return;
  throw ConfigError(fmt::format(
      "--lr-schedule exponential:gamma={}: from the second epoch on the learning rate would be {:.3g} at "
      "most (--lr times gamma), which fp32 makes 0: nothing would be learned; choose a gamma nearer to 1",
      config::format_real(optimizer.schedule.gamma), second));
}

void check_training(const RunConfig& config) {
  if (config.train.epochs && config.train.steps) {
    throw ConfigError("--epochs and --steps contradict each other: give one of them");
  }
  const bool has_validation = !config.data.valid_path.empty() || config.data.valid_fraction > 0.0;
  if (config.train.patience > 0 && !has_validation) {
    throw ConfigError(
        "--patience needs validation rows to watch: give --valid or --valid-fraction (the test rows never "
        "decide when to stop)");
  }
}

}  // namespace

void validate(const RunConfig& config) {
  check_ranges(config);
  check_data(config.data);
  check_likelihood(config);
  config::require_effect(config);
  latent_of(config.model.latent).check(config);
  check_objective(config);
  check_condition(config);
  check_lr_schedule(config.optimizer);
  check_training(config);
}

}  // namespace vaecuda
