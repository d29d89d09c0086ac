// C API: training.
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::capi {
namespace {

double loss_of(const std::optional<LossTerms>& terms) {
  return terms ? terms->loss : std::numeric_limits<double>::quiet_NaN();
}

vaecuda_progress to_c_progress(const Progress& progress) {
  vaecuda_progress result{};
  result.step = progress.step;
  result.total_steps = progress.total_steps;
  result.epoch = progress.epoch;
  result.total_epochs = progress.total_epochs;
  result.seconds = progress.seconds;
  result.rows_per_second = progress.samples_per_second;
  result.lr = progress.lr;
  result.loss = progress.train.loss;
  result.reconstruction = progress.train.reconstruction;
  result.kl = progress.train.kl;
  result.valid_loss = loss_of(progress.valid);
  result.epoch_end = progress.epoch_end ? 1 : 0;
  result.improved = progress.improved ? 1 : 0;
  return result;
}

vaecuda_summary to_c_summary(const TrainSummary& summary) {
  vaecuda_summary result = VAECUDA_SUMMARY_INIT;
  result.steps = summary.steps;
  result.epochs = summary.epochs;
  result.best_epoch = summary.best_epoch;
  result.parameters = summary.parameters;
  result.seconds = summary.seconds;
  result.rows_per_second = summary.samples_per_second;
  result.train_loss = summary.train.loss;
  result.valid_loss = loss_of(summary.valid);
  result.test_loss = loss_of(summary.test);
  result.stopped_early = summary.stopped_early ? 1 : 0;
  return result;
}

/// `stopped` is set once the stop callback has returned true.
TrainObserver to_observer(const vaecuda_observer& watch, bool& stopped) {
  TrainObserver observer;
  if (watch.message != nullptr) {
    observer.message = [watch](const std::string& line) { watch.message(watch.user, line.c_str()); };
  }
  if (watch.progress != nullptr) {
    observer.progress = [watch](const Progress& progress) {
      const vaecuda_progress now = to_c_progress(progress);
      watch.progress(watch.user, &now);
    };
  }
  if (watch.stop != nullptr) {
    observer.stop_requested = [watch, &stopped] {
      stopped = stopped || watch.stop(watch.user) != 0;
      return stopped;
    };
  }
  return observer;
}

std::optional<Dataset> copied(const vaecuda_dataset* dataset) {
  return dataset == nullptr ? std::nullopt : std::optional<Dataset>(dataset->data);
}

/// A page that cannot be written is no error of the run, because the model is saved.
void write_page(const Trainer& trainer, const vaecuda_observer& watch) {
  try {
    (void)trainer.write_report();
  } catch (const Error& error) {
    if (watch.message == nullptr) return;
    watch.message(watch.user, fmt::format("warning: no report.html: {}", error.what()).c_str());
  }
}

int train_from(Start start, const vaecuda_config* config, const vaecuda_dataset* train,
               const vaecuda_dataset* valid, const vaecuda_dataset* test, const vaecuda_observer* observer,
               vaecuda_summary* summary) {
  const RunConfig& run = required(config, "config").run;
  if (train == nullptr && (valid != nullptr || test != nullptr)) {
    throw ConfigError("valid and test rows are given, but no train rows: give them as well, or none");
  }
  const vaecuda_observer none = VAECUDA_OBSERVER_INIT;
  const vaecuda_observer watch = read_struct(observer, none, "observer");
  const vaecuda_summary blank = VAECUDA_SUMMARY_INIT;
  (void)read_struct(summary, blank, "summary");  // refused before hours of training, not after
  if (run.output.dir.empty()) throw ConfigError("no folder for the run: set output.dir");
  bool stopped = false;
  TrainObserver calls = to_observer(watch, stopped);
  const auto trainer = train == nullptr
                           ? std::make_unique<Trainer>(run, std::move(calls), start)
                           : std::make_unique<Trainer>(run, RunData{train->data, copied(valid), copied(test)},
                                                       std::move(calls), start);
  const TrainSummary done = trainer->run();
  if (watch.report != 0 && !stopped) write_page(*trainer, watch);
  if (summary != nullptr) write_struct(summary, to_c_summary(done), "summary");
  return stopped ? VAECUDA_STOPPED : VAECUDA_OK;
}

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;

extern "C" {

int vaecuda_train(const vaecuda_config* config, const vaecuda_dataset* train, const vaecuda_dataset* valid,
                  const vaecuda_dataset* test, const vaecuda_observer* observer, vaecuda_summary* summary) {
  return guarded(
      [&] { return train_from(vaecuda::Start::fresh, config, train, valid, test, observer, summary); });
}

int vaecuda_train_resume(const vaecuda_config* config, const vaecuda_dataset* train,
                         const vaecuda_dataset* valid, const vaecuda_dataset* test,
                         const vaecuda_observer* observer, vaecuda_summary* summary) {
  return guarded(
      [&] { return train_from(vaecuda::Start::resume, config, train, valid, test, observer, summary); });
}

}  // extern "C"
