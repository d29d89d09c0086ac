#include "host/train/run_setup.hpp"

#include <fmt/format.h>

#include <utility>

#include "host/config/schedules.hpp"
#include "host/config/scopes.hpp"
#include "host/config/utf8.hpp"
#include "host/data/check_values.hpp"
#include "host/data/fingerprint.hpp"
#include "host/data/host_values.hpp"
#include "host/io/path_links.hpp"
#include "host/plan/builder.hpp"
#include "host/train/diagnosis.hpp"
#include "host/train/memory_rows.hpp"
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
    throw ConfigError(
        fmt::format("{}: the name of a folder above it is no UTF-8 text ({}), and config.toml, which keeps "
                    "the whole path, could not be read again; rename the folder, or work in another one",
                    path, config::quoted(whole)));
  }
  return whole;
}

std::string preparation_text(const Preparation& preparation) {
  std::string text;
  if (preparation.scale != 1.0f) {
    const float divisor = 1.0f / preparation.scale;
    text += fmt::format(", divided by {:.6g}", divisor);
  }
  if (!preparation.mean.empty()) text += ", standardized";
  return text;
}

/// One line for each of the files that were read, that of the training rows with how they are prepared, and
/// one for all that may be wrong.
void say_what_was_read(const PreparedData& data, const Say& say) {
  const auto say_warnings = [&say](const ReadNotes& notes) {
    for (const std::string& warning : notes.warnings) say("warning: " + warning);
  };
  const ReadNotes train = data.train.notes();
  say(train.description + preparation_text(data.preparation));
  say_warnings(train);
  for (const std::optional<Dataset>* held : {&data.valid, &data.test}) {
    if (!*held || (*held)->name() == data.train.name()) continue;
    const ReadNotes notes = (*held)->notes();
    say(fmt::format("{}: {}", held == &data.valid ? "validation" : "test", notes.description));
    say_warnings(notes);
  }
}

}  // namespace

RunSetup::RunSetup(RunConfig asked, std::optional<RunData> rows, const Say& say, Start start)
    : config(std::move(asked)) {
  if (rows) {
    enter_rows(config, *rows);
    apply_file_options(config.data.train, *rows);
  } else if (start == Start::resume && config.data.train.path == kMemory) {
    throw ConfigError(
        fmt::format("the rows of the run in {} were in memory: only the program that has them can resume it",
                    config.output.dir));
  }
  validate(config);
  config::forget_idle(config);
  StartingPoint from = find_starting_point(config, start, say);
  const DeviceChoice choice = choose_device(config.train.device, static_cast<int>(config.train.threads));
  if (!choice.note.empty()) say(choice.note);
  if (config.train.autotune && choice.device.kind == DeviceKind::cpu) {
    say("--autotune has no effect on the CPU");
  }
  const std::shared_ptr<Backend> backend =
      make_backend(choice.device, config.train.precision, config.train.autotune);
  std::unique_ptr<ResidentData> resident = prepare(std::move(rows), say, from, *backend);
  if (const std::string reason = why_no_prior(config.model); !reason.empty()) {
    say("no samples.png: " + reason);
  }
  // A run that has a state goes on with the batch it began with.
  if (!from.checkpoint) fit_batch(say);
  choose_length();
  for (const std::string& doubt : doubt_schedules(config, data.train.rows(), clock.total_steps)) {
    say("warning: " + doubt);
  }
  try {
    session = std::make_unique<Session>(backend, config, data, clock, std::move(resident));
  } catch (const OutOfMemoryError& error) {
    throw OutOfMemoryError(std::string(error.what()) + "; " + advise_batch(backend, config, data, clock));
  }
  identity = identify();
  held = std::move(from.held);
  if (from.checkpoint) {
    require_same_run(*from.checkpoint, say);
    session->restore(*from.checkpoint);
    first = std::move(from.checkpoint->state);
    return;
  }
  session->write(ParameterStore::Part::parameters, initial_parameters(from, session->layout(), config, data));
  if (config.optimizer.v_init != 0) {
    session->write(ParameterStore::Part::moment2, initial_moment2(session->layout(), config.optimizer));
  }
}

RunIdentity RunSetup::identify() const {
  RunIdentity mine;
  mine.device = session->backend().device().kind == DeviceKind::cpu ? "cpu" : "cuda";
  mine.algorithms = session->program().algorithms();
  mine.data = fingerprint(data.train);
  if (data.valid) mine.data = fingerprint(*data.valid, mine.data);
  if (data.test) mine.test = fingerprint(*data.test);
  if (config::depends_on_length(config.optimizer.schedule, clock.total_steps))
    mine.length = clock.total_steps;
  mine.options = fixed_options(config);
  return mine;
}

void RunSetup::require_same_run(const Checkpoint& from, const Say& say) const {
  const std::string& dir = config.output.dir;
  const RunIdentity& began = from.identity;
  if (began.data != identity.data) {
    throw FileError(
        fmt::format("{}: its rows are not those that the run in {} was trained on (or the validation rows "
                    "are not); give the same data, or start a new run with --init-from",
                    data.train.name(), dir));
  }
  if (began.test && began.test != identity.test) {
    throw FileError(
        fmt::format("{}: the test rows are not those that the run in {} began with; give the same, or start "
                    "a new run with --init-from",
                    data.test ? data.test->name() : data.train.name(), dir));
  }
  if (began.device != identity.device) {
    throw ConfigError(
        fmt::format("the run in {} was trained on {}, and going on with {} would change its result; give "
                    "--device {}, or start a new run with --init-from",
                    dir, began.device, identity.device, began.device));
  }
  if (began.length != identity.length) {
    throw ConfigError(fmt::format(
        "the run in {} is one of {} steps, and now {} are asked for; its schedule depends on that number, so "
        "it would have been another run from the start: leave --epochs and --steps out",
        dir, began.length, clock.total_steps));
  }
  if (from.state.step > clock.total_steps) {
    throw ConfigError(
        fmt::format("the run in {} has done {} steps already, and {} are asked for; ask for more", dir,
                    from.state.step, clock.total_steps));
  }
  if (from.parameters.size() != static_cast<std::size_t>(session->layout().size)) {
    throw FileError(fmt::format("{}: state.safetensors holds {} parameters; expected {} by config.toml", dir,
                                from.parameters.size(), session->layout().size));
  }
  if (began.algorithms != identity.algorithms) {
    say(
        fmt::format("warning: this machine computes with {}, the run in {} began with {}: what follows may "
                    "differ in the last bits from an uninterrupted run",
                    fmt::join(identity.algorithms, ", "), dir, fmt::join(began.algorithms, ", ")));
  }
}

Checkpoint RunSetup::checkpoint(const TrainingState& state) const {
  Checkpoint result;
  result.state = state;
  result.identity = identity;
  result.parameters = session->read(ParameterStore::Part::parameters);
  result.moment1 = session->read(ParameterStore::Part::moment1);
  result.moment2 = session->read(ParameterStore::Part::moment2);
  return result;
}

std::unique_ptr<ResidentData> RunSetup::prepare(std::optional<RunData> rows, const Say& say,
                                                const StartingPoint& from, Backend& backend) {
  std::unique_ptr<ResidentData> resident;
  const MeasuredRows measured = [&](const Dataset& train) -> const ValueStatistics* {
    if (train.type() == ElementType::sparse) return nullptr;
    try {
      resident = backend.make_resident(train);
    } catch (const OutOfMemoryError&) {
      return nullptr;  // the session will ask for the same, and advise
    }
    // Rows that are read in the host's memory have not come to their place in it yet.
    if (resident->values() == nullptr) resident.reset();
    return resident ? resident->values() : nullptr;
  };
  DataView view;
  if (from.model) view = view_of(*from.model, config.train.init_from);
  view.scale_by_type = from.older_scale.has_value();
  data = rows ? prepare_data(config, std::move(*rows), view, measured) : prepare_data(config, view, measured);
  say_what_was_read(data, say);
  for (const std::string& note : data.notes) say(note);
  for (const std::string& warning : data.warnings) say("warning: " + warning);
  const bool is_question = config.data.scale == ScaleMode::automatic || config.data.scale == ScaleMode::unit;
  if (is_question) config.data.scale = data.scale;
  config.model.input_dim = data.train.columns();
  config.model.condition_dim = data.condition_dim;
  config.model.row_sum = data.row_sum;
  config.data.train.path = recorded_path(config.data.train.path);
  config.data.train.labels_path = recorded_path(config.data.train.labels_path);
  config.data.test_path = recorded_path(config.data.test_path);
  config.data.valid_path = recorded_path(config.data.valid_path);
  config.train.init_from = recorded_path(config.train.init_from);
  if (from.model) adopt_view(*from.model, resident ? resident->values() : nullptr, say);
  if (from.older_scale) require_same_scale(*from.older_scale, config);
  return resident;
}

/// A run that begins with a model sees the rows as the model does.
void RunSetup::adopt_view(const ModelFile& model, const ValueStatistics* values, const Say& say) {
  require_same_model(config, model);
  if (data.condition_names != model.condition_names) {
    throw ConfigError(
        fmt::format("--init-from {}: the model is conditioned on other classes than those of the training "
                    "rows; give data with the same labels",
                    config.train.init_from));
  }
  data.preparation = preparation_for(config, data.preparation, model);
  if (config.data.standardize) {
    say(fmt::format(
        "{}: standardized by the mean and the deviation of the model of --init-from, not by their own",
        data.train.name()));
  }
  const ValueDomain domain = traits_of(config.model.likelihood).domain;
  const data::HostValues here(data.train);
  check_values(data.train, values != nullptr ? *values : here, data.preparation, domain);
  if (data.valid) check_values(*data.valid, data.preparation, domain);
  if (data.test) check_values(*data.test, data.preparation, domain);
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
  clock.rows = data.train.rows();
  clock.batch = config.train.batch_size;
  if (config.train.steps) {
    clock.total_steps = *config.train.steps;
  } else {
    config.train.epochs = config.train.epochs.value_or(kDefaultEpochs);
    clock.total_epochs = *config.train.epochs;
    clock.total_steps = clock.epoch_end(clock.total_epochs);
  }
  const LrSchedule& schedule = config.optimizer.schedule;
  if (schedule.kind == LrScheduleKind::cosine && schedule.warmup_steps >= clock.total_steps) {
    throw ConfigError(
        fmt::format("--lr-schedule cosine: the warm-up of {} steps does not fit the run of {} steps",
                    schedule.warmup_steps, clock.total_steps));
  }
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

}  // namespace vaecuda
