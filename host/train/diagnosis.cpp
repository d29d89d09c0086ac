#include "host/train/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/config/likelihood_traits.hpp"
#include "host/evaluate/warnings.hpp"
#include "host/plan/builder.hpp"
#include "host/train/column_model.hpp"
#include "kernels/math/step_state.h"
#include "vaecuda/latent.hpp"

namespace vaecuda {
namespace {

/// The rows that a run is judged by.
struct Judged {
  const LossTerms& terms;
  const Dataset& rows;
  std::string_view name;
};

Judged judged(const PreparedData& data, const Outcome& outcome) {
  if (outcome.valid && data.valid) return {*outcome.valid, *data.valid, "validation"};
  if (outcome.test && data.test) return {*outcome.test, *data.test, "test"};
  return {outcome.train, data.train, "training"};
}

std::optional<std::int64_t> held_latents(const LossTerms& terms) {
  if (!terms.latents || terms.latents->kl.empty()) return std::nullopt;
  const auto& kl = terms.latents->kl;
  return std::count_if(kl.begin(), kl.end(), [](double one) { return one >= kCollapsedKl; });
}

/// What the objective would be if the latents were left out, beside what it is: with the weight of the KL
/// term that the run has reached.
struct Compared {
  double loss = 0.0;
  double without_latents = 0.0;
};

Compared compare(const RunConfig& config, const LossTerms& terms, double column_loss, std::int64_t steps) {
  if (!traits_of(config.model.latent).has_density) return {terms.reconstruction, column_loss};
  if (config.objective.kind == ObjectiveKind::iwae) return {terms.loss, column_loss};
  const math::LossSchedule schedule = loss_schedule_of(config);
  const std::int64_t last = std::max<std::int64_t>(0, steps - 1);
  const double weight = math::loss_weight(schedule, last);
  const double capacity = math::kl_capacity(schedule, last);
  const double added = schedule.capacity > 0.0 ? std::abs(terms.kl - capacity) : terms.kl;
  return {terms.reconstruction + weight * added, column_loss + weight * capacity};
}

/// How far the values lie from what the decoder gives, in σ; 0 where that has no meaning.
double distance_of(const RunConfig& config, double reconstruction) {
  const ModelConfig& model = config.model;
  if (!has_given_sigma(model)) return 0.0;
  double distance = 0.0;
  math::with_likelihood(kind_of(model.likelihood), [&](auto functor) {
    if constexpr (decltype(functor)::kHasSigma) {
      const math::Deviation<double> sigma{std::log(model.sigma), 1.0 / model.sigma, 0.0};
      const double nats =
          reconstruction / static_cast<double>(model.input_dim) - functor(0.0, 0.0, sigma).nll;
      if (nats > 0.0) distance = functor.distance_of(nats);
    }
  });
  return distance;
}

/// Of --init-from both the preparation and --sigma are the model's.
std::string_view sigma_advice(const RunConfig& config) {
  if (!config.train.init_from.empty())
    return "the mean, the deviation and --sigma are those of the model of --init-from: train a new model";
  return config.data.standardize ? "give a larger --sigma, or --sigma learned" : "train with --standardize";
}

std::string unreachable_warning(const RunConfig& config, const PreparedData& data, const ColumnModel& columns,
                                double distance) {
  const std::vector<double>& deviations = columns.deviations();
  const auto widest = std::max_element(deviations.begin(), deviations.end());
  const auto place = static_cast<std::size_t>(widest - deviations.begin());
  const std::vector<std::string>& names = data.train.column_names();
  const std::string column =
      place < names.size() ? fmt::format("'{}'", names[place]) : fmt::format("{}", place);
  return fmt::format(
      "the values lie {:.3g} deviations from what the model decodes, and --sigma is {:g}: no training "
      "reaches them. Column {} alone has a deviation of {:.3g}; {}",
      distance, config.model.sigma.value(), column, *widest, sigma_advice(config));
}

std::string codes_warning(const RunConfig& config, const LossTerms& terms) {
  constexpr double kOneCode = 1.5;
  if (!terms.quantization || config.model.codebook_size < 4) return {};
  const double least = terms.quantization->least_perplexity;
  if (!(least < kOneCode)) return {};
  return fmt::format(
      "codebook collapse: nearly all rows take one code of {} (perplexity {:.2f}), so that the codes say "
      "nearly nothing of a row; give --restart-codes 0.1, {}",
      config.model.codebook_size.value(), least,
      config.data.standardize ? "or lower --lr" : "lower --lr, or standardize the values");
}

}  // namespace

std::vector<std::string> doubt_schedules(const RunConfig& config, std::int64_t rows, std::int64_t steps) {
  std::vector<std::string> doubts;
  const math::LossSchedule kl = loss_schedule_of(config);
  const std::int64_t last = steps - 1;
  // Within a rise: a period that has ended, or ends with the run, has had its whole weight.
  const std::int64_t place = kl.kind == math::LossScheduleKind::cyclical ? steps % kl.steps : steps;
  if (kl.kind != math::LossScheduleKind::constant && place > 0 && math::loss_weight(kl, place) < kl.beta) {
    doubts.push_back(
        fmt::format("--beta-schedule: the run of {} steps ends within the rise: the weight of the KL term "
                    "ends at {:.4g}, while the losses of held-out rows, and so the best model, are weighed "
                    "with {:.4g}; choose a shorter rise or a longer run",
                    steps, math::loss_weight(kl, last), kl.beta));
  }
  if (kl.capacity > 0.0 && steps < kl.capacity_steps) {
    doubts.push_back(fmt::format(
        "--capacity-steps: the run of {} steps ends within the rise: the capacity ends at {:.4g} nats, while "
        "the losses of held-out rows are taken with {:.4g}; choose a shorter rise or a longer run",
        steps, math::kl_capacity(kl, last), kl.capacity));
  }
  const std::int64_t batch = config.train.batch_size;
  const auto is_reached = [&](std::int64_t epoch) { return (epoch * rows + batch - 1) / batch < steps; };
  const LrSchedule& lr = config.optimizer.schedule;
  if (!lr.stages.empty() && !is_reached(lr.stages.back().epoch)) {
    const auto first = std::find_if_not(lr.stages.begin(), lr.stages.end(),
                                        [&](const LrStage& stage) { return is_reached(stage.epoch); });
    doubts.push_back(
        fmt::format("--lr-schedule: the run ends after {} steps and does not come to the stages from epoch "
                    "{} on: they have no effect",
                    steps, first->epoch));
  }
  if (lr.kind == LrScheduleKind::exponential && lr.gamma < 1.0 && !is_reached(1)) {
    doubts.emplace_back(
        "--lr-schedule exponential: the run ends before its second epoch: the rate never falls");
  }
  return doubts;
}

std::vector<std::string> diagnose(const RunConfig& config, const PreparedData& data, const Outcome& outcome) {
  std::vector<std::string> lines;
  const auto add = [&lines](std::string line) {
    if (!line.empty()) lines.push_back(std::move(line));
  };
  const Judged by = judged(data, outcome);
  if (!std::isfinite(by.terms.loss)) {
    add(
        fmt::format("the loss of the {} rows is not finite: some of their values lie far from all training "
                    "rows; look at them{}",
                    by.name, config.data.standardize ? "" : ", or train with --standardize"));
    return lines;
  }
  const ColumnModel columns(data.train, data.preparation, config.model);
  const double distance = distance_of(config, outcome.train.reconstruction);
  if (distance > kFarDeviations) add(unreachable_warning(config, data, columns, distance));
  const Compared compared = compare(config, by.terms, columns.loss(by.rows), outcome.steps);
  if (compared.loss >= compared.without_latents) {
    add(fmt::format(
        "the model is no better than the columns' means alone: its loss on the {} rows is {:.6g} nats, "
        "theirs {:.6g}; train longer (--epochs), change --lr, or look at the scale of the values",
        by.name, compared.loss, compared.without_latents));
  }
  add(collapse_warning(config.model, config.objective, by.terms.kl, held_latents(by.terms)));
  add(codes_warning(config, by.terms));
  return lines;
}

}  // namespace vaecuda
