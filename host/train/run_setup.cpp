#include "host/train/run_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/config/lr_schedule.hpp"
#include "host/config/scopes.hpp"
#include "host/config/utf8.hpp"
#include "host/data/check_values.hpp"
#include "host/data/fingerprint.hpp"
#include "host/io/path_links.hpp"
#include "host/train/diagnosis.hpp"
#include "host/train/fitting_batch.hpp"
#include "host/train/memory_rows.hpp"
#include "host/train/read_lines.hpp"
#include "host/train/run_folder.hpp"
#include "host/train/run_identity.hpp"
#include "host/train/run_replacement.hpp"
#include "host/train/start_model.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {

namespace {

constexpr std::int64_t kDefaultEpochs = 10;

std::string recorded_path(const std::string& path) {
  const bool built_in =
      path.empty() || path == kMemory || path == "shapes" || path.compare(0, 7, "shapes:") == 0;
  if (built_in) return path;
  std::string whole = absolute_path(path).string();
  if (!config::is_utf8(whole)) {
    throw ConfigError(fmt::format(
        "{}: the name of a folder above it is no UTF-8 text ({}), and config.toml, which keeps the "
        "whole path, could not be read again; rename the folder, or work in another one",
        path, config::quoted(whole)));
  }
  return whole;
}

}  // namespace

RunSetup::RunSetup(RunConfig asked, std::optional<RunData> rows, const Say& say, Start start)
    : config(std::move(asked)) {
  if (rows) {
    enter_rows(config, *rows);
    apply_file_options(config.data.train, *rows);
  } else if (start == Start::resume && config.data.train.path == kMemory) {
    throw ConfigError(
        fmt::format("the rows of the run in {} were in memory: only the program that has them can "
                    "resume it",
                    config.output.dir));
  }
  validate(config);
  config::forget_idle(config);
  std::optional<Checkpoint> from;
  std::optional<ModelFile> model;
  std::optional<OlderScale> older_scale;
  if (start == Start::resume) {
    const std::string& dir = config.output.dir;
    held = RunFolder::hold(dir);
    require_same_start(config);
    if (has_broken_replacement(*held)) {
      say(fmt::format(
          "warning: a run that was to replace the one in {} ended before its first checkpoint; going on "
          "with the older run",
          dir));
    }
    if (const std::optional<Place> state = RunFolder::find_state(held)) {
      from = load_checkpoint(open_bytes(*state));
      older_scale = take_older_scale(config, from->identity);
      require_same_options(config, from->identity);
      // Only its view of the data is wanted, and the last model has it as well; the first may be gone.
      if (!config.train.init_from.empty()) model = load_model(open_bytes(RunFolder::last_model(held)));
    } else {
      RunFolder::require_unsaved(held);
      say(fmt::format("{}: no checkpoint was saved yet; training from the first step", dir));
    }
  } else if (!config.output.dir.empty()) {
    RunFolder::check_free(config.output.dir, config.output.overwrite);
    RunFolder::check_inputs(config);
  }
  const DeviceChoice choice = choose_device(config.train.device, static_cast<int>(config.train.threads));
  if (!choice.note.empty()) say(choice.note);
  if (config.train.autotune && choice.device.kind == DeviceKind::cpu) {
    say("--autotune has no effect on the CPU");
  }
  backend = make_backend(choice.device, config.train.precision, config.train.autotune);
  if (!from && !config.train.init_from.empty()) {
    model = load_model(config.train.init_from);
    require_same_scale(config, *model);
  }
  prepare(std::move(rows), say, model ? &*model : nullptr, older_scale.has_value());
  if (older_scale) require_same_scale(*older_scale, config);
  if (const std::string reason = why_no_prior(config.model); !reason.empty()) {
    say("no samples.png: " + reason);
  }
  // A run that has a state goes on with the batch it began with.
  if (!from) fit_batch(say);
  choose_length();
  for (const std::string& doubt : doubt_schedules(config, data.train.rows(), total_steps)) {
    say("warning: " + doubt);
  }

  layout = make_layout(config.model);
  try {
    allocate(from ? from->state.restores : 0);
  } catch (const OutOfMemoryError& error) {
    release();
    throw OutOfMemoryError(std::string(error.what()) + "; " + advise_batch());
  }
  identity = identify();
  if (from) {
    require_same_run(*from, say);
    restore(*from);
    first = std::move(from->state);
    return;
  }
  std::vector<float> parameters(static_cast<std::size_t>(layout.size));
  if (model) {
    parameters = model->parameters;
  } else {
    initialize_parameters(layout, config.model, config.train.seed, parameters.data());
    std::vector<double> means;
    if (config.model.output_bias == OutputBias::data_mean)
      means = prepared_means(data.train, data.preparation);
    initialize_output_bias(layout, config.model, means, parameters.data());
  }
  store->write(ParameterStore::Part::parameters, parameters);
  if (config.optimizer.v_init != 0) {
    // Of what Adam moves: moving averages keep their counts in the rest.
    std::vector<float> start_of_v(parameters.size(), 0.0f);
    for (const Region& region : layout.regions(config.optimizer)) {
      if (region.rule == UpdateRule::adam)
        std::fill_n(start_of_v.begin() + region.offset, region.count, 1.0f);
    }
    store->write(ParameterStore::Part::moment2, start_of_v);
  }
}

void RunSetup::allocate(std::int64_t restores) {
  store = backend->make_parameters(layout.size, true);
  resident = backend->make_resident(data.train);
  compile(restores);
  if (data.valid) {
    validation = std::make_unique<Evaluator>(*backend, layout, config, data.preparation, *data.valid, *store);
  }
}

void RunSetup::release() {
  validation.reset();
  program.reset();
  resident.reset();
  store.reset();
}

std::string RunSetup::advise_batch() {
  const std::int64_t asked = config.train.batch_size;
  const auto bytes_of = [this](std::int64_t batch) -> std::optional<std::int64_t> {
    config.train.batch_size = batch;
    std::optional<std::int64_t> bytes;
    try {
      allocate(0);
      bytes = backend->allocated_bytes();
    } catch (const OutOfMemoryError&) {
      // That is the answer.
    }
    release();
    return bytes;
  };
  const std::int64_t fits = largest_fitting_batch(bytes_of, backend->free_bytes(), asked);
  config.train.batch_size = asked;
  if (fits > 0) return fmt::format("the largest batch size that fits here is {} (asked: {})", fits, asked);
  return "no batch size fits, not even one row: choose smaller layers";
}

Plan RunSetup::training_plan(std::int64_t restores) const {
  RunConfig scaled = config;
  const double factor = std::ldexp(1.0, -static_cast<int>(restores));
  scaled.optimizer.lr *= factor;
  for (LrStage& stage : scaled.optimizer.schedule.stages) stage.lr *= factor;
  return build_training_plan({layout, scaled, data.preparation, shape_of(data.train), total_steps});
}

void RunSetup::compile(std::int64_t restores) {
  restores_ = restores;
  program.reset();  // its memory goes before the next one's comes
  plan = training_plan(restores);
  program = backend->compile(plan, *store, resident.get());
}

RunIdentity RunSetup::identify() const {
  RunIdentity mine;
  mine.device = backend->device().kind == DeviceKind::cpu ? "cpu" : "cuda";
  mine.algorithms = program->algorithms();
  mine.data = fingerprint(data.train);
  if (data.valid) mine.data = fingerprint(*data.valid, mine.data);
  if (data.test) mine.test = fingerprint(*data.test);
  if (config::depends_on_length(config.optimizer.schedule, total_steps)) mine.length = total_steps;
  mine.options = fixed_options(config);
  return mine;
}

void RunSetup::require_same_run(const Checkpoint& from, const Say& say) const {
  const std::string& dir = config.output.dir;
  const RunIdentity& began = from.identity;
  if (began.data != identity.data) {
    throw FileError(
        fmt::format("{}: its rows are not those that the run in {} was trained on (or the validation "
                    "rows are not); give the same data, or start a new run with --init-from",
                    data.train.name(), dir));
  }
  if (began.test && began.test != identity.test) {
    throw FileError(fmt::format(
        "{}: the test rows are not those that the run in {} began with; give the same, or start a new run "
        "with --init-from",
        data.test ? data.test->name() : data.train.name(), dir));
  }
  if (began.device != identity.device) {
    throw ConfigError(
        fmt::format("the run in {} was trained on {}, and going on with {} would change its result; "
                    "give --device {}, or start a new run with --init-from",
                    dir, began.device, identity.device, began.device));
  }
  if (began.length != identity.length) {
    throw ConfigError(
        fmt::format("the run in {} is one of {} steps, and now {} are asked for; its schedule "
                    "depends on that number, so it would have been another run from the start: "
                    "leave --epochs and --steps out",
                    dir, began.length, total_steps));
  }
  if (from.state.step > total_steps) {
    throw ConfigError(
        fmt::format("the run in {} has done {} steps already, and {} are asked for; ask for more", dir,
                    from.state.step, total_steps));
  }
  if (from.parameters.size() != static_cast<std::size_t>(layout.size)) {
    throw FileError(fmt::format("{}: state.safetensors holds {} parameters; expected {} by config.toml", dir,
                                from.parameters.size(), layout.size));
  }
  if (began.algorithms != identity.algorithms) {
    say(fmt::format(
        "warning: this machine computes with {}, the run in {} began with {}: what follows may differ "
        "in the last bits from an uninterrupted run",
        fmt::join(identity.algorithms, ", "), dir, fmt::join(began.algorithms, ", ")));
  }
}

Checkpoint RunSetup::checkpoint(const TrainingState& state) const {
  Checkpoint result;
  result.state = state;
  result.identity = identity;
  result.parameters = read(ParameterStore::Part::parameters);
  result.moment1 = read(ParameterStore::Part::moment1);
  result.moment2 = read(ParameterStore::Part::moment2);
  return result;
}

std::vector<float> RunSetup::read(ParameterStore::Part part) const {
  std::vector<float> values(static_cast<std::size_t>(layout.size));
  store->read(part, values);
  return values;
}

void RunSetup::restore(const Checkpoint& checkpoint) {
  if (checkpoint.state.restores != restores_) compile(checkpoint.state.restores);
  store->write(ParameterStore::Part::parameters, checkpoint.parameters);
  store->write(ParameterStore::Part::moment1, checkpoint.moment1);
  store->write(ParameterStore::Part::moment2, checkpoint.moment2);
  program->set_step(checkpoint.state.step);
}

void RunSetup::prepare(std::optional<RunData> rows, const Say& say, const ModelFile* start,
                       bool scale_by_type) {
  DataView view;
  if (start != nullptr) view = view_of(*start, config.train.init_from);
  view.scale_by_type = scale_by_type;
  data = rows ? prepare_data(config, std::move(*rows), view) : prepare_data(config, view);
  say_what_was_read(data, say);
  for (const std::string& note : data.notes) say(note);
  for (const std::string& warning : data.warnings) say("warning: " + warning);
  const bool is_question = config.data.scale == ScaleMode::automatic || config.data.scale == ScaleMode::unit;
  if (is_question) config.data.scale = data.scale;
  config.model.input_dim = data.train.columns();
  config.model.condition_dim = data.condition_dim;
  config.data.train.path = recorded_path(config.data.train.path);
  config.data.train.labels_path = recorded_path(config.data.train.labels_path);
  config.data.test_path = recorded_path(config.data.test_path);
  config.data.valid_path = recorded_path(config.data.valid_path);
  config.train.init_from = recorded_path(config.train.init_from);
  if (start == nullptr) return;
  require_same_model(config, *start);
  if (data.condition_names != start->condition_names) {
    throw ConfigError(
        fmt::format("--init-from {}: it was told other classes than the training rows have; give "
                    "data with the same labels",
                    config.train.init_from));
  }
  data.preparation = preparation_for(config, data.preparation, *start);
  if (config.data.standardize) {
    say(fmt::format(
        "{}: standardized by the mean and the deviation of the model of --init-from, not by their own",
        data.train.name()));
  }
  const bool unit_targets = traits_of(config.model.likelihood).unit_targets;
  check_values(data.train, data.preparation, unit_targets);
  if (data.valid) check_values(*data.valid, data.preparation, unit_targets);
  if (data.test) check_values(*data.test, data.preparation, unit_targets);
}

/// A batch of more rows than there are would take rows twice and end several epochs in one update.
void RunSetup::fit_batch(const Say& say) {
  const std::int64_t rows = data.train.rows();
  if (config.train.batch_size <= rows) return;
  say(fmt::format("the batch of {} rows is larger than the {} training row{}: batches of {}",
                  config.train.batch_size, rows, rows == 1 ? "" : "s", rows));
  config.train.batch_size = rows;
}

void RunSetup::choose_length() {
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
}

std::int64_t RunSetup::epoch_end(std::int64_t epoch) const {
  const std::int64_t batch = config.train.batch_size;
  return (epoch * data.train.rows() + batch - 1) / batch;
}

std::int64_t RunSetup::epochs_done(std::int64_t step) const {
  return step * config.train.batch_size / data.train.rows();
}

ModelFile RunSetup::model_file(std::int64_t step) const {
  ModelFile file;
  file.model = config.model;
  file.preparation = data.preparation;
  file.image = data.train.image();
  file.column_names = data.train.column_names();
  file.trained_on = data.sizes;
  file.condition_names = data.condition_names;
  if (config.model.conditional) file.label_vector_names = data.train.label_vector_names();
  file.objective = config.objective;
  file.seed = config.train.seed;
  file.steps = step;
  return file;
}

void RunSetup::check_fault() const {
  const std::optional<Fault> fault = program->fault();
  if (!fault) return;
  const std::string tensor = fault->element < 0 ? "loss" : layout.tensor_at(fault->element);
  throw DivergedError(
      fmt::format("training diverged in step {}: {} became NaN or infinite; lower --lr, clip gradients with "
                  "--clip-norm, or check the scale of the data. Nothing of this step was saved",
                  fault->step, fault->element < 0 ? "the loss" : tensor + " (its gradient or its update)"),
      fault->step, tensor);
}

}  // namespace vaecuda
