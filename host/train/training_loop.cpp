#include "host/train/training_loop.hpp"

#include <algorithm>
#include <cmath>

#include "host/model/model_file.hpp"

namespace vaecuda {
namespace {

constexpr double kReportSeconds =
    0.25;  ///< between two progress calls, and so between two looks at a stop request
constexpr double kSaveSeconds = 60.0;  ///< between two saves at epochs' ends; the run's end always saves

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TrainingLoop::TrainingLoop(RunSetup& setup, RunFolder& folder, const TrainObserver& observer)
    : setup_(setup), folder_(folder), observer_(observer), saved_at_(Clock::now()) {}

void TrainingLoop::run() {
  while (state_.step < setup_.total_steps && !state_.stopped_early) {
    run_steps();
    epoch_ended_ = setup_.ends_epoch(state_.step);
    valid_.reset();
    improved_ = false;
    if (epoch_ended_) end_epoch();
    if (ends_line(state_.step) || state_.step == setup_.total_steps) log_line();
    if (epoch_ended_ || state_.seconds - shown_at_ >= kReportSeconds) {
      report(epoch_ended_ ? state_.epoch_mean.loss() : shown_mean_.loss());
    }
    if (epoch_ended_ && state_.step < setup_.total_steps && seconds_since(saved_at_) > kSaveSeconds) save();
    if (observer_.stop_requested && observer_.stop_requested()) break;
  }
  save();
}

bool TrainingLoop::ends_line(std::int64_t step) const {
  return setup_.ends_epoch(step) || step % setup_.config.output.log_every == 0;
}

/// As many steps as end where something is to be done: a line, an epoch's end, the end, or a look around.
void TrainingLoop::run_steps() {
  if (ends_line(state_.step)) state_.line_mean = {};
  if (setup_.ends_epoch(state_.step)) state_.epoch_mean = {};
  const std::int64_t every = setup_.config.output.log_every;
  const std::int64_t next_line = (state_.step / every + 1) * every;
  const std::int64_t boundary =
      std::min({next_line, setup_.epoch_end(setup_.epochs_done(state_.step) + 1), setup_.total_steps});
  const std::int64_t count = std::min(boundary - state_.step, chunk_);
  const Clock::time_point began = Clock::now();
  setup_.program->run(count);
  fresh_.clear();
  setup_.program->take_metrics(fresh_);
  const double spent = seconds_since(began);
  setup_.check_fault();
  state_.seconds += spent;
  state_.step += count;
  const LatentKind latent = setup_.config.model.latent;
  for (const math::StepMetrics& metrics : fresh_) {
    state_.line_mean.add(metrics, latent);
    state_.epoch_mean.add(metrics, latent);
    shown_mean_.add(metrics, latent);
  }
  // As many steps at a time as take about as long as a person waits for an answer.
  const double per_step = spent / static_cast<double>(count);
  chunk_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(kReportSeconds / std::max(per_step, 1e-9)), 1,
                                    2 * chunk_);
}

void TrainingLoop::end_epoch() {
  if (!setup_.validation) return;
  valid_ = setup_.validation->evaluate();
  improved_ = std::isfinite(valid_->loss) && (!state_.best || valid_->loss < state_.best->valid.loss);
  if (improved_) {
    state_.best = BestModel{*valid_, setup_.epochs_done(state_.step), state_.step,
                            setup_.model_file(state_.step).parameters};
  }
  state_.stopped_early = patience_is_over();
}

bool TrainingLoop::patience_is_over() const {
  const std::int64_t patience = setup_.config.train.patience;
  return patience > 0 && setup_.epochs_done(state_.step) - (state_.best ? state_.best->epoch : 0) >= patience;
}

void TrainingLoop::log_line() {
  const double samples =
      static_cast<double>(state_.step) * static_cast<double>(setup_.config.train.batch_size);
  MetricsLine line;
  line.step = state_.step;
  line.epoch = samples / static_cast<double>(setup_.data.train.rows());
  line.loss = state_.line_mean.loss();
  line.gradient_norm = state_.line_mean.gradient_norm();
  line.lr = state_.line_mean.lr();
  line.kl_weight = state_.line_mean.kl_weight();
  line.seconds = state_.seconds;
  line.samples_per_second = samples / state_.seconds;
  line.valid = valid_;
  folder_.log(line);
}

void TrainingLoop::report(const LossTerms& loss) {
  if (observer_.progress) {
    Progress now;
    now.step = state_.step;
    now.total_steps = setup_.total_steps;
    now.epoch = setup_.epochs_done(state_.step);
    now.total_epochs = setup_.total_epochs;
    now.seconds = state_.seconds;
    now.samples_per_second = state_.seconds > 0.0
                                 ? static_cast<double>(state_.step) *
                                       static_cast<double>(setup_.config.train.batch_size) / state_.seconds
                                 : 0.0;
    now.lr = state_.line_mean.empty() ? setup_.config.optimizer.lr : state_.line_mean.lr();
    now.train = loss;
    now.valid = valid_;
    now.epoch_end = epoch_ended_;
    now.improved = improved_;
    observer_.progress(now);
  }
  shown_at_ = state_.seconds;
  shown_mean_ = {};
}

/// Both model files, from what is in memory: the last parameters, and the best where validation chooses them.
void TrainingLoop::save() {
  ModelFile file = setup_.model_file(state_.step);
  save_model(folder_.last_model().string(), file);
  if (state_.best) {
    file.steps = state_.best->step;
    file.parameters = state_.best->parameters;
  }
  save_model(folder_.best_model().string(), file);
  saved_at_ = Clock::now();
}

}  // namespace vaecuda
