// A run from start to end: data, model, plan, program; then steps, epochs, and the files they leave.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "host/data/prepare.hpp"
#include "host/model/layout.hpp"
#include "host/model/model_file.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/builder.hpp"
#include "host/report/png.hpp"
#include "host/train/evaluator.hpp"
#include "host/train/pictures.hpp"
#include "host/train/run_folder.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kDefaultEpochs = 10;
constexpr double kReportSeconds =
    0.25;  ///< between two progress calls, and so between two looks at a stop request

constexpr double kSaveSeconds = 60.0;  ///< between two saves at epochs' ends; the run's end always saves

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Means over the steps added since the last reset.
class MetricsMean {
 public:
  void add(const math::StepMetrics& step) {
    ++count_;
    reconstruction_ += step.reconstruction;
    kl_ += step.kl;
    loss_ += step.reconstruction + step.kl_weight * step.kl;
    gradient_norm_ += step.gradient_norm;
    lr_ = step.lr;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] LossTerms loss() const {
    return {loss_ / divisor(), reconstruction_ / divisor(), kl_ / divisor()};
  }
  [[nodiscard]] double gradient_norm() const { return gradient_norm_ / divisor(); }
  [[nodiscard]] double lr() const { return lr_; }

 private:
  [[nodiscard]] double divisor() const { return static_cast<double>(std::max<std::int64_t>(1, count_)); }
  std::int64_t count_ = 0;
  double loss_ = 0.0;
  double reconstruction_ = 0.0;
  double kl_ = 0.0;
  double gradient_norm_ = 0.0;
  double lr_ = 0.0;
};

std::string absolute_path(const std::string& path) {
  const bool built_in = path.empty() || path == "shapes" || path.compare(0, 7, "shapes:") == 0;
  return built_in ? path : std::filesystem::absolute(path).lexically_normal().string();
}

Preparation preparation_for(const RunConfig& config, Preparation from_data, const ModelFile* start) {
  // A model that is trained on keeps its own view of the data, or its weights would mean something else.
  if (start == nullptr) return from_data;
  Preparation kept = start->preparation;
  kept.binarize = from_data.binarize;
  if (!kept.mean.empty() != config.data.standardize) {
    throw ConfigError(
        fmt::format("--init-from {}: the model was trained {} --standardize; train it on the same way",
                    config.train.init_from, kept.mean.empty() ? "without" : "with"));
  }
  return kept;
}

void require_same_model(const RunConfig& config, const ModelFile& start) {
  const ModelConfig& a = config.model;
  const ModelConfig& b = start.model;
  const auto refuse = [&](const char* what) {
    throw ConfigError(
        fmt::format("--init-from {}: its {} differ from the configuration's; give the same ones",
                    config.train.init_from, what));
  };
  if (a.input_dim != b.input_dim) refuse("input columns");
  if (a.hidden != b.hidden || a.latent_dim != b.latent_dim) refuse("layers");
  if (a.activation != b.activation) refuse("activation functions");
  if (a.likelihood != b.likelihood) refuse("likelihoods");
  if (a.likelihood == Likelihood::gaussian && a.sigma != b.sigma) refuse("deviations sigma");
}

}  // namespace

struct TrainingRun::Impl {
  RunConfig config;
  TrainObserver observer;
  PreparedData data;
  std::int64_t total_steps = 0;
  std::int64_t total_epochs = 0;  ///< 0: bounded by steps alone
  std::optional<ModelFile> start;
  std::unique_ptr<Backend> backend;
  ParameterLayout layout;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<ResidentData> resident;
  Plan plan;
  std::unique_ptr<Program> program;
  std::unique_ptr<Evaluator> validation;

  Impl(RunConfig asked, TrainObserver watcher);

  void say(const std::string& line) const {
    if (observer.message) observer.message(line);
  }
  /// The step that ends epoch e.
  [[nodiscard]] std::int64_t epoch_end(std::int64_t epoch) const {
    return divide_up(epoch * data.train.rows(), config.train.batch_size);
  }
  [[nodiscard]] std::int64_t epochs_done(std::int64_t step) const {
    return step * config.train.batch_size / data.train.rows();
  }
  [[nodiscard]] std::optional<ImageShape> image() const { return data.train.image(); }
  [[nodiscard]] ModelFile model_file(std::int64_t step) const;
  void check_fault() const;
  TrainSummary train();
};

TrainingRun::Impl::Impl(RunConfig asked, TrainObserver watcher)
    : config(std::move(asked)), observer(std::move(watcher)) {
  validate(config);
  if (!config.output.dir.empty()) RunFolder::check_free(config.output.dir, config.output.overwrite);
  const DeviceChoice choice = choose_device(config.train.device, static_cast<int>(config.train.threads));
  if (!choice.note.empty()) say(choice.note);
  if (config.train.autotune && choice.device.kind == DeviceKind::cpu) {
    say("--autotune has no effect on the CPU");
  }
  backend = make_backend(choice.device, config.train.precision, config.train.autotune);
  if (!config.train.init_from.empty()) start = load_model(config.train.init_from);

  data = prepare_data(config);
  for (const std::string& warning : data.warnings) say("warning: " + warning);
  config.model.input_dim = data.train.columns();
  config.data.train.path = absolute_path(config.data.train.path);
  config.data.train.labels_path = absolute_path(config.data.train.labels_path);
  config.data.test_path = absolute_path(config.data.test_path);
  config.data.valid_path = absolute_path(config.data.valid_path);
  config.train.init_from = absolute_path(config.train.init_from);
  if (start) {
    require_same_model(config, *start);
    data.preparation = preparation_for(config, std::move(data.preparation), &*start);
    check_values(data.train, data.preparation, config.model.likelihood);
    if (data.valid) check_values(*data.valid, data.preparation, config.model.likelihood);
    if (data.test) check_values(*data.test, data.preparation, config.model.likelihood);
  }

  const std::int64_t rows = data.train.rows();
  if (config.train.steps) {
    total_steps = *config.train.steps;
  } else {
    config.train.epochs = config.train.epochs.value_or(kDefaultEpochs);
    total_epochs = *config.train.epochs;
    total_steps = epoch_end(total_epochs);
  }
  if (config.optimizer.schedule.kind == LrScheduleKind::cosine &&
      config.optimizer.schedule.warmup_steps >= total_steps) {
    throw ConfigError(
        fmt::format("--lr-schedule cosine: the warm-up of {} steps does not fit the run of {} steps",
                    config.optimizer.schedule.warmup_steps, total_steps));
  }

  layout = make_layout(config.model);
  store = backend->make_parameters(layout.size, true);
  std::vector<float> parameters(static_cast<std::size_t>(layout.size));
  if (start) {
    parameters = start->parameters;
  } else {
    initialize_parameters(layout, config.model.init, config.train.seed, parameters.data());
  }
  store->write(ParameterStore::Part::parameters, parameters);
  resident = backend->make_resident(data.train);
  plan = build_training_plan({layout, config, data.preparation, {rows, data.train.type()}, total_steps});
  program = backend->compile(plan, *store, resident.get());
  if (data.valid) {
    validation = std::make_unique<Evaluator>(*backend, layout, config, data.preparation, *data.valid, *store);
  }
}

ModelFile TrainingRun::Impl::model_file(std::int64_t step) const {
  ModelFile file;
  file.model = config.model;
  file.preparation = data.preparation;
  file.image = image();
  file.column_names = data.train.column_names();
  file.objective = config.objective;
  file.seed = config.train.seed;
  file.steps = step;
  file.parameters.resize(static_cast<std::size_t>(layout.size));
  store->read(ParameterStore::Part::parameters, file.parameters);
  return file;
}

void TrainingRun::Impl::check_fault() const {
  const std::optional<Fault> fault = program->fault();
  if (!fault) return;
  const std::string tensor = fault->element < 0 ? "loss" : layout.tensor_at(fault->element);
  throw DivergedError(
      fmt::format("training diverged in step {}: {} became NaN or infinite; lower --lr, clip gradients with "
                  "--clip-norm, or check the scale of the data. Nothing of this step was saved",
                  fault->step, fault->element < 0 ? "the loss" : "the gradient of " + tensor),
      fault->step, tensor);
}

TrainSummary TrainingRun::Impl::train() {
  if (config.output.dir.empty()) throw ConfigError("no output folder: --out (output.dir) names one");
  RunFolder folder(config);
  const auto batch = static_cast<double>(config.train.batch_size);
  const auto rows = static_cast<double>(data.train.rows());
  TrainSummary summary;
  MetricsMean line_mean;   // since the last line of metrics.jsonl
  MetricsMean epoch_mean;  // since the epoch began
  MetricsMean shown_mean;  // since the last progress call
  std::vector<math::StepMetrics> fresh;
  std::optional<ModelFile> best;
  std::optional<LossTerms> best_valid;
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double training_seconds = 0.0;
  double shown_at = 0.0;
  std::int64_t chunk = 1;
  Clock::time_point saved_at = Clock::now();
  bool stop = false;

  const auto progress = [&](const LossTerms& loss, const std::optional<LossTerms>& valid, bool epoch_ended,
                            bool improved) {
    if (!observer.progress) return;
    Progress now;
    now.step = step;
    now.total_steps = total_steps;
    now.epoch = epoch;
    now.total_epochs = total_epochs;
    now.seconds = training_seconds;
    now.samples_per_second =
        training_seconds > 0.0 ? static_cast<double>(step) * batch / training_seconds : 0.0;
    now.lr = line_mean.empty() ? config.optimizer.lr : line_mean.lr();
    now.train = loss;
    now.valid = valid;
    now.epoch_end = epoch_ended;
    now.improved = improved;
    observer.progress(now);
  };

  // Both files, from what is in memory: the last parameters, and the best where validation chooses them.
  const auto save = [&] {
    const ModelFile last = model_file(step);
    save_model(folder.last_model().string(), last);
    save_model(folder.best_model().string(), best ? *best : last);
  };

  while (step < total_steps && !stop) {
    // A run of steps ends where something is to be done: a line, an epoch's end, the end, or a look around.
    const std::int64_t next_line = (step / config.output.log_every + 1) * config.output.log_every;
    const std::int64_t boundary = std::min({next_line, epoch_end(epoch + 1), total_steps});
    const std::int64_t count = std::min(boundary - step, chunk);
    const Clock::time_point began = Clock::now();
    program->run(count);
    fresh.clear();
    program->take_metrics(fresh);
    const double spent = seconds_since(began);
    training_seconds += spent;
    check_fault();
    step += count;
    for (const math::StepMetrics& metrics : fresh) {
      line_mean.add(metrics);
      epoch_mean.add(metrics);
      shown_mean.add(metrics);
    }
    // As many steps at a time as take about as long as a person waits for an answer.
    const double per_step = spent / static_cast<double>(count);
    chunk = std::clamp<std::int64_t>(static_cast<std::int64_t>(kReportSeconds / std::max(per_step, 1e-9)), 1,
                                     2 * chunk);

    const bool epoch_ended = step == epoch_end(epoch + 1);
    std::optional<LossTerms> valid;
    bool improved = false;
    if (epoch_ended) {
      epoch = epochs_done(step);  // with B > N one step may end several
      summary.train = epoch_mean.loss();
      if (validation) {
        valid = validation->evaluate();
        improved = std::isfinite(valid->loss) && (!best_valid || valid->loss < best_valid->loss);
        if (improved) {
          best_valid = valid;
          best = model_file(step);
          summary.best_epoch = epoch;
        }
        if (config.train.patience > 0 && epoch - summary.best_epoch >= config.train.patience) {
          summary.stopped_early = true;
          stop = true;
        }
      }
    }
    if (step == next_line || step == total_steps || epoch_ended) {
      MetricsLine line;
      line.step = step;
      line.epoch = static_cast<double>(step) * batch / rows;
      line.loss = line_mean.loss();
      line.gradient_norm = line_mean.gradient_norm();
      line.lr = line_mean.lr();
      line.seconds = training_seconds;
      line.samples_per_second = static_cast<double>(step) * batch / training_seconds;
      line.valid = valid;
      folder.log(line);
    }
    if (epoch_ended || training_seconds - shown_at >= kReportSeconds) {
      progress(epoch_ended ? epoch_mean.loss() : shown_mean.loss(), valid, epoch_ended, improved);
      shown_at = training_seconds;
      shown_mean = {};
    }
    if (step == next_line || epoch_ended) line_mean = {};
    if (epoch_ended && step < total_steps && !stop) {
      epoch_mean = {};
      if (seconds_since(saved_at) > kSaveSeconds) {
        save();
        saved_at = Clock::now();
      }
    }
    if (observer.stop_requested && observer.stop_requested()) stop = true;
  }
  if (!epoch_mean.empty()) summary.train = epoch_mean.loss();

  save();
  // Everything from here on describes the model that was saved as the best.
  if (best) store->write(ParameterStore::Part::parameters, best->parameters);
  summary.valid = best_valid;
  if (validation && !best_valid) summary.valid = validation->evaluate();
  if (data.test) {
    Evaluator test(*backend, layout, config, data.preparation, *data.test, *store);
    summary.test = test.evaluate();
  }
  const Dataset& shown = data.test ? *data.test : data.valid ? *data.valid : data.train;
  Painter painter(*backend, layout, config, data.preparation, *store, shown, image());
  const auto paint = [&](const std::string& name, const Image& picture) {
    write_png(folder.picture(name), picture);
    folder.add_image(name, picture, step);
  };
  paint("reconstructions", painter.reconstructions());
  paint("samples", painter.samples());
  if (config.model.latent_dim == 2) paint("manifold", painter.manifold());

  const DeviceInfo& device = backend->device();
  summary.device =
      device.kind == DeviceKind::cpu ? "cpu" : fmt::format("cuda:{} {}", device.index, device.name);
  summary.steps = step;
  summary.epochs = epochs_done(step);
  summary.seconds = training_seconds;
  summary.samples_per_second =
      training_seconds > 0.0 ? static_cast<double>(step) * batch / training_seconds : 0.0;
  summary.parameters = layout.parameters;
  summary.device_bytes = backend->allocated_bytes();
  if (!best) summary.best_epoch = summary.epochs;
  summary.model = folder.best_model().string();
  return summary;
}

TrainingRun::TrainingRun(RunConfig config, TrainObserver observer)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(observer))) {}

TrainingRun::~TrainingRun() = default;

const RunConfig& TrainingRun::config() const {
  return impl_->config;
}

std::string TrainingRun::explain() const {
  const Impl& run = *impl_;
  std::string text = to_table(run.plan, run.backend->roofline());
  text += fmt::format("\n{} parameters; {} rows of {} columns; {} steps in all\n", run.layout.parameters,
                      run.data.train.rows(), run.data.train.columns(), run.total_steps);
  text +=
      fmt::format("memory on {}: {:.1f} MiB, of which parameters and Adam's moments {:.1f} MiB\n",
                  run.backend->device().name, static_cast<double>(run.backend->allocated_bytes()) / 1048576.0,
                  3.0 * 4.0 * static_cast<double>(run.layout.size) / 1048576.0);
  return text;
}

TrainSummary TrainingRun::run() {
  return impl_->train();
}

}  // namespace vaecuda
