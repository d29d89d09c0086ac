#include "host/train/run_end.hpp"

#include <fmt/format.h>

#include <optional>

#include "host/report/png.hpp"
#include "host/train/diagnosis.hpp"
#include "host/train/evaluator.hpp"
#include "host/train/pictures.hpp"
#include "vaecuda/latent.hpp"

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

}  // namespace

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

}  // namespace vaecuda
