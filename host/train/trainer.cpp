// The public face of a run: set-up, steps, end.
#include <fmt/format.h>

#include "host/run_report/report_writer.hpp"
#include "host/train/run_end.hpp"
#include "host/train/run_folder.hpp"
#include "host/train/run_setup.hpp"
#include "host/train/training_loop.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

struct Trainer::Impl {
  TrainObserver observer;
  RunSetup setup;
  std::optional<TrainSummary> summary;  ///< of the run that has ended
  std::filesystem::path dir;            ///< where its folder was then
  Start start;

  Impl(RunConfig config, std::optional<RunData> rows, TrainObserver watcher, Start how)
      : observer(std::move(watcher)),
        setup(
            std::move(config), std::move(rows),
            [this](const std::string& line) {
              if (observer.message) observer.message(line);
            },
            how),
        start(how) {}
};

Trainer::Trainer(RunConfig config, TrainObserver observer, Start start)
    : impl_(std::make_unique<Impl>(std::move(config), std::nullopt, std::move(observer), start)) {}

Trainer::Trainer(RunConfig config, RunData data, TrainObserver observer, Start start)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(data), std::move(observer), start)) {}

Trainer::~Trainer() = default;

const RunConfig& Trainer::config() const {
  return impl_->setup.config;
}

std::string Trainer::explain() const {
  const RunSetup& run = impl_->setup;
  const Session& session = *run.session;
  const Backend& backend = session.backend();
  std::string text = to_table(session.plan(), backend.roofline());
  text +=
      fmt::format("\n{} parameters; {} rows of {} columns; {} steps in all\n", session.layout().parameters,
                  run.data.train.rows(), run.data.train.columns(), run.clock.total_steps);
  text += fmt::format("memory on {}: {:.1f} MiB, of which parameters and Adam's moments {:.1f} MiB\n",
                      backend.device().name, static_cast<double>(backend.allocated_bytes()) / 1048576.0,
                      3.0 * 4.0 * static_cast<double>(session.layout().size) / 1048576.0);
  return text;
}

TrainSummary Trainer::run() {
  RunSetup& setup = impl_->setup;
  if (setup.config.output.dir.empty()) {
    throw ConfigError("no output folder: --out (output.dir) names one");
  }
  RunFolder folder(setup.config, impl_->start, std::move(setup.held));
  TrainingLoop loop(setup, folder, impl_->observer);
  try {
    loop.run();
  } catch (const Error&) {
    if (folder.is_growing() && impl_->observer.message) {
      impl_->observer.message(
          fmt::format("{} still has its older run; what this one has written is in its folder .new-run, "
                      "until the next run there",
                      setup.config.output.dir));
    }
    throw;
  }
  const TrainSummary summary = end_run(setup, folder, loop, impl_->observer);
  folder.close_logs();
  impl_->summary = summary;
  impl_->dir = folder.path_now();
  return *impl_->summary;
}

std::string Trainer::write_report() const {
  if (!impl_->summary) throw ConfigError("no report before the run has ended: call run() first");
  const RunConfig& config = impl_->setup.config;
  ReportOptions options;
  options.on.device = config.train.device;
  options.on.threads = config.train.threads;
  options.on.precision = config.train.precision;
  const RunResults results{impl_->setup.data, impl_->summary->valid, impl_->summary->test,
                           impl_->summary->warnings};
  return vaecuda::write_report(impl_->dir, options, &results);
}

}  // namespace vaecuda
