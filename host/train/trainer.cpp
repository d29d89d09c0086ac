// The public face of a run: set-up, steps, end.
#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "host/report/png.hpp"
#include "host/run_report/report_writer.hpp"
#include "host/train/diagnosis.hpp"
#include "host/train/evaluator.hpp"
#include "host/train/pictures.hpp"
#include "host/train/run_folder.hpp"
#include "host/train/run_setup.hpp"
#include "host/train/training_loop.hpp"
#include "vaecuda/latent.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {
namespace {

/// False if a stop came first.
bool draw(RunSetup& setup, RunFolder& folder, std::int64_t step, const std::function<bool()>& stop) {
  const PreparedData& data = setup.data;
  const Dataset& shown = data.test ? *data.test : data.valid ? *data.valid : data.train;
  Painter painter(setup.session->model(), setup.config.train.seed, shown, data.train.image(), stop);
  const auto paint = [&](const std::string& name, const std::optional<Image>& picture) {
    if (!picture) return false;
    const EncodedImage encoded(*picture);
    write_png(folder.picture(name), encoded);
    folder.add_image(name, encoded, step);
    return true;
  };
  const ModelConfig& model = setup.config.model;
  const LatentTraits& traits = traits_of(model.latent);
  const bool has_plane = traits.has_normal_prior && model.latent_dim == 2;
  return paint("reconstructions", painter.reconstructions()) &&
         (!traits.has_prior() || paint("samples", painter.samples())) &&
         (!has_plane || paint("manifold", painter.manifold()));
}

/// The figures of the model that was saved as the best, and its pictures. False if a stop came first.
bool show_best(RunSetup& setup, RunFolder& folder, const TrainingState& state, const TrainObserver& observer,
               TrainSummary& summary) {
  const auto watch = [&observer](std::string_view pass) {
    return PassWatch{pass, observer.stop_requested, observer.pass};
  };
  if (state.best) setup.session->write(ParameterStore::Part::parameters, state.best->parameters);
  // A checkpoint keeps the best loss, not what its evaluation told of the latents.
  const bool is_told =
      !traits_of(setup.config.model.latent).has_density || (summary.valid && summary.valid->latents);
  Evaluator* const validation = setup.session->validation();
  if (validation != nullptr && (!summary.valid || !is_told)) {
    const std::optional<LossTerms> valid = validation->evaluate(watch("validation"));
    if (!valid) return false;
    summary.valid = valid;
  }
  if (setup.data.test) {
    Evaluator test(setup.session->model(), setup.config, *setup.data.test);
    summary.test = test.evaluate(watch("test"));
    if (!summary.test) return false;
  }
  return draw(setup, folder, state.step, observer.stop_requested);
}

/// Puts the best parameters into the store, tests them, draws the pictures into the folder. After a stop
/// request, before or in the midst of it, the figures alone that are there.
TrainSummary end_run(RunSetup& setup, RunFolder& folder, const TrainingLoop& loop,
                     const TrainObserver& observer) {
  const TrainingState& state = loop.state();
  TrainSummary summary;
  if (state.best) summary.valid = state.best->valid;
  summary.stopped = loop.stopped() || !show_best(setup, folder, state, observer, summary);

  const DeviceInfo& device = setup.session->backend().device();
  summary.device =
      device.kind == DeviceKind::cpu ? "cpu" : fmt::format("cuda:{} {}", device.index, device.name);
  summary.steps = state.step;
  summary.epochs = setup.clock.epochs_done(state.step);
  summary.seconds = state.seconds;
  summary.samples_per_second = state.seconds > 0.0 ? setup.clock.rows_done(state.step) / state.seconds : 0.0;
  summary.parameters = setup.session->layout().parameters;
  summary.device_bytes = setup.session->backend().allocated_bytes();
  summary.train = state.epoch_mean.loss();
  summary.best_epoch = state.best ? state.best->epoch : summary.epochs;
  summary.stopped_early = loop.stopped_early();
  summary.skipped_steps = state.skipped;
  summary.restores = state.restores;
  const std::filesystem::path dir = folder.path_now();
  summary.model = (dir / "model.safetensors").string();
  if (dir != setup.config.output.dir && observer.message) {
    observer.message(fmt::format("warning: {} was renamed while the run wrote into it; the run is in {}",
                                 setup.config.output.dir, dir.string()));
  }
  if (!summary.stopped) {
    summary.warnings =
        diagnose(setup.config, setup.data, {state.step, summary.train, summary.valid, summary.test});
    for (const std::string& line : summary.warnings) {
      if (observer.message) observer.message("warning: " + line);
    }
  }
  return summary;
}

}  // namespace

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
