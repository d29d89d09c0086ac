#include "host/train/training_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "host/model/model_file.hpp"
#include "host/train/checkpoint.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr double kReportSeconds =
    0.25;  ///< between two progress calls, and so between two looks at a stop request
/// A step of so many seconds lets who stops the run wait.
constexpr double kLongStep = 5.0;
/// Steps left out in a row after which nothing but luck could bring the run back.
constexpr std::int64_t kMostSkippedInRow = 100;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The first multiple of `every` above `step`; 0 stands for none.
std::int64_t next_multiple(std::int64_t step, std::int64_t every) {
  return every > 0 ? (step / every + 1) * every : std::numeric_limits<std::int64_t>::max();
}

bool was_skipped(const math::StepMetrics& step) {
  return !std::isfinite(math::sum_of(step.means) + step.loss) || !std::isfinite(step.gradient_norm);
}

}  // namespace

TrainingLoop::TrainingLoop(RunSetup& setup, RunFolder& folder, const TrainObserver& observer)
    : setup_(setup),
      folder_(folder),
      observer_(observer),
      state_(std::move(setup.first)),
      saved_at_(Clock::now()) {}

bool TrainingLoop::goes_on() const {
  return state_.step < setup_.clock.total_steps && !stopped_early() && !stopped_;
}

bool TrainingLoop::stop_asked() const {
  return observer_.stop_requested && observer_.stop_requested();
}

void TrainingLoop::run() {
  cut_logs();
  // What --on-nonfinite restore goes back to if nothing else was saved yet.
  if (setup_.config.train.on_nonfinite == NonfiniteAction::restore && state_.step == 0) save();
  if (state_.boundary_open) end_boundary();
  // The line of a last step is cut off like any other that a longer run would not have.
  if (state_.step == setup_.clock.total_steps && !ends_line(state_.step)) log_line();
  while (goes_on()) {
    if (run_steps()) end_boundary();
    if (goes_on() && is_checkpoint_due()) save();
    stopped_ = stopped_ || stop_asked();
  }
  if (saved_step_ != state_.step) save();
}

/// As many steps as end where something is to be done: a line, an epoch's end, a checkpoint, the end, or a
/// look around. False if they ended in a return to the last checkpoint.
bool TrainingLoop::run_steps() {
  if (ends_line(state_.step)) state_.line_mean = {};
  if (setup_.clock.ends_epoch(state_.step)) state_.epoch_mean = {};
  const OutputConfig& output = setup_.config.output;
  const std::int64_t boundary = std::min(
      {next_multiple(state_.step, output.log_every), next_multiple(state_.step, output.checkpoint_every),
       setup_.clock.epoch_end(setup_.clock.epochs_done(state_.step) + 1), setup_.clock.total_steps});
  const std::int64_t count = std::min(boundary - state_.step, chunk_);
  const Clock::time_point began = Clock::now();
  setup_.session->program().run(count);
  fresh_.clear();
  setup_.session->program().take_metrics(fresh_);
  const double spent = seconds_since(began);
  state_.seconds += spent;
  if (setup_.session->program().fault()) {
    const TrainConfig& train = setup_.config.train;
    if (train.on_nonfinite != NonfiniteAction::restore || state_.restores >= train.max_restores) {
      setup_.session->check_fault();
    }
    go_back();
    return false;
  }
  state_.step += count;
  for (const math::StepMetrics& metrics : fresh_) take(metrics);
  // As many steps at a time as take about as long as a person waits for an answer.
  const double per_step = spent / static_cast<double>(count);
  if (per_step > kLongStep && !std::exchange(told_of_long_steps_, true) && observer_.message) {
    observer_.message(
        fmt::format("a step takes {:.0f} s here, and a stop is answered after it: a smaller --batch-size "
                    "makes steps shorter; a second signal ends the run at once, at its last checkpoint",
                    per_step));
  }
  chunk_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(kReportSeconds / std::max(per_step, 1e-9)), 1,
                                    2 * chunk_);
  return true;
}

void TrainingLoop::take(const math::StepMetrics& metrics) {
  if (!was_skipped(metrics)) {
    state_.skipped_in_row = 0;
    state_.line_mean.add(metrics);
    state_.epoch_mean.add(metrics);
    shown_mean_.add(metrics);
    return;
  }
  ++state_.skipped;
  if (++state_.skipped_in_row == kMostSkippedInRow) {
    throw DivergedError(
        fmt::format(
            "training diverged: the loss or the gradient was NaN or infinite in {} steps in a row, the last "
            "of them step {}; lower --lr, clip gradients with --clip-norm, or check the scale of the data",
            kMostSkippedInRow, metrics.step),
        metrics.step, "loss");
  }
}

/// What follows the steps: the epoch's evaluation, the line, progress. Left open if a stop comes before it.
void TrainingLoop::end_boundary() {
  const bool epoch_ended = setup_.clock.ends_epoch(state_.step);
  valid_.reset();
  improved_ = false;
  state_.boundary_open = epoch_ended && !evaluate();
  if (state_.boundary_open) {
    stopped_ = true;
    return;
  }
  if (ends_line(state_.step) || state_.step == setup_.clock.total_steps) log_line();
  if (epoch_ended || state_.seconds - shown_at_ >= kReportSeconds) {
    report(epoch_ended ? state_.epoch_mean.loss() : shown_mean_.loss());
  }
}

/// False if a stop request came first.
bool TrainingLoop::evaluate() {
  Evaluator* const validation = setup_.session->validation();
  if (validation == nullptr) return true;
  valid_ = validation->evaluate({"validation", observer_.stop_requested, observer_.pass});
  if (!valid_) return false;
  improved_ = std::isfinite(valid_->loss) && (!state_.best || valid_->loss < state_.best->valid.loss);
  if (improved_) {
    state_.best = BestModel{*valid_, setup_.clock.epochs_done(state_.step), state_.step,
                            setup_.session->read(ParameterStore::Part::parameters)};
  }
  return true;
}

bool TrainingLoop::stopped_early() const {
  const std::int64_t patience = setup_.config.train.patience;
  return patience > 0 && !state_.boundary_open &&
         setup_.clock.epochs_done(state_.step) - (state_.best ? state_.best->epoch : 0) >= patience;
}

bool TrainingLoop::ends_line(std::int64_t step) const {
  return setup_.clock.ends_epoch(step) || step % setup_.config.output.log_every == 0;
}

void TrainingLoop::log_line() {
  MetricsLine line;
  line.step = state_.step;
  line.epoch = setup_.clock.epoch(state_.step);
  line.loss = state_.line_mean.loss();
  line.gradient_norm = state_.line_mean.gradient_norm();
  line.lr = state_.line_mean.lr();
  line.loss_weight = state_.line_mean.loss_weight();
  line.seconds = state_.seconds;
  line.samples_per_second = setup_.clock.rows_done(state_.step) / state_.seconds;
  line.valid = valid_;
  line.skipped = state_.skipped;
  folder_.log(line);
}

void TrainingLoop::report(const LossTerms& loss) {
  if (observer_.progress) {
    Progress now;
    now.step = state_.step;
    now.total_steps = setup_.clock.total_steps;
    now.epoch = setup_.clock.epochs_done(state_.step);
    now.total_epochs = setup_.clock.total_epochs;
    now.seconds = state_.seconds;
    now.samples_per_second =
        state_.seconds > 0.0 ? setup_.clock.rows_done(state_.step) / state_.seconds : 0.0;
    now.lr = state_.line_mean.empty() ? setup_.config.optimizer.lr : state_.line_mean.lr();
    now.train = loss;
    now.valid = valid_;
    now.epoch_end = setup_.clock.ends_epoch(state_.step);
    now.improved = improved_;
    observer_.progress(now);
  }
  shown_at_ = state_.seconds;
  shown_mean_ = {};
}

bool TrainingLoop::is_checkpoint_due() const {
  const OutputConfig& output = setup_.config.output;
  const bool by_steps = output.checkpoint_every > 0 && state_.step % output.checkpoint_every == 0;
  const bool by_time =
      output.checkpoint_seconds > 0.0 && seconds_since(saved_at_) > output.checkpoint_seconds;
  return by_steps || by_time;
}

/// The logs and the models first, the state last: it alone decides where the run goes on, and then they are
/// there.
void TrainingLoop::save() {
  folder_.sync_logs();
  Checkpoint checkpoint = setup_.checkpoint(state_);
  ModelFile file = setup_.model_file(state_.step);
  folder_.begin_checkpoint();
  try {
    // An arena may be gigabytes: read once, and lent to the model that has it too.
    file.parameters.swap(checkpoint.parameters);
    save_model(folder_.last_model(), file);
    if (!state_.best) save_model(folder_.best_model(), file);
    file.parameters.swap(checkpoint.parameters);
    if (state_.best) {
      file.steps = state_.best->step;
      file.parameters = state_.best->parameters;
      save_model(folder_.best_model(), file);
    }
    save_checkpoint(folder_.state(), checkpoint);
  } catch (...) {
    folder_.end_checkpoint();
    throw;
  }
  folder_.end_checkpoint();
  if (state_.step > 0) folder_.take_place();
  saved_at_ = Clock::now();
  saved_step_ = state_.step;
}

void TrainingLoop::cut_logs() {
  const double seconds = folder_.cut_back([this](std::int64_t step) {
    const bool written = step < state_.step || (step == state_.step && !state_.boundary_open);
    return step > 0 && written && ends_line(step);
  });
  state_.seconds = std::max(state_.seconds, seconds);
}

/// Back to the last checkpoint, with half the learning rate.
void TrainingLoop::go_back() {
  const std::int64_t restores = state_.restores + 1;
  const double seconds = state_.seconds;
  const std::optional<Fault> fault = setup_.session->program().fault();
  Checkpoint checkpoint = load_checkpoint(open_bytes(folder_.state()));
  checkpoint.state.restores = restores;
  checkpoint.state.seconds = seconds;
  setup_.session->restore(checkpoint);
  state_ = std::move(checkpoint.state);
  shown_mean_ = {};
  cut_logs();
  save();  // or a kill would make the count start again
  if (observer_.message) {
    observer_.message(fmt::format(
        "step {} was not finite: back to step {} with 1/{} of the learning rate (return {} of at most {})",
        fault->step, state_.step, std::int64_t{1} << restores, restores,
        setup_.config.train.max_restores.value()));
  }
}

}  // namespace vaecuda
