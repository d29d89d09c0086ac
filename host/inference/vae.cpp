#include "vaecuda/vae.hpp"

#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "host/config/limits.hpp"
#include "host/inference/conditions.hpp"
#include "host/inference/drawn_rows.hpp"
#include "host/inference/latents.hpp"
#include "host/inference/model_info.hpp"
#include "host/inference/model_rows.hpp"
#include "host/inference/passes.hpp"
#include "host/inference/repeated_rows.hpp"
#include "host/inference/units.hpp"
#include "host/latents/latent.hpp"
#include "host/model/model_file.hpp"
#include "host/plan/exchanged.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {

namespace {

/// A row whose values no float carries through the network is infinitely unlikely; on the way ∞ − ∞ may have
/// made it NaN, which no threshold finds.
void take_overflow_for_infinite(std::vector<float>& nats) {
  for (float& value : nats) {
    if (std::isnan(value)) value = std::numeric_limits<float>::infinity();
  }
}

void check_samples(std::int64_t samples, std::string_view kind) {
  constexpr config::IntegerRange kRange = config::kDrawnSamples;
  if (samples >= kRange.min && samples <= kRange.max) return;
  throw ConfigError(
      fmt::format("{} {} samples of each row; expected {} to {}", samples, kind, kRange.min, kRange.max));
}

}  // namespace

struct Vae::Impl {
  Impl(ModelFile from, const RunOn& on);

  /// A block of rows that has just run, and where its results can be read.
  struct Block {
    Pass& pass;
    std::int64_t first;
    std::int64_t rows;
    std::span<const float> input;
  };
  using Reader = std::function<void(const Block&)>;
  using Sink = std::function<void()>;

  /// Rows as the model takes them, in its columns' order, checked and measured: what run() is given.
  [[nodiscard]] ModelRows met(RowSource& rows, ModelRows::Kind kind = ModelRows::Kind::data) {
    return {rows, file, info.column_names, kind, said};
  }

  /// Runs a pass over all rows of `source`: for every block `read` takes its results while the pass is
  /// ours, then `sink` passes them on. Gives the number of rows.
  std::int64_t run(PassKind kind, std::uint64_t seed, RowSource& source, const Reader& read, const Sink& sink,
                   std::int64_t samples = 1);

  /// The terms of rows that were met.
  std::int64_t elbo(RowSource& rows, std::uint64_t seed, const std::function<void(const ElboBlock&)>& sink);

  /// Runs a pass over rows in the device's memory; results go where `out` says, null: nowhere.
  void run_on_device(PassKind kind, std::uint64_t seed, const float* x, std::int64_t rows,
                     const std::vector<NamedMemory>& out, void* stream);

  [[nodiscard]] std::int64_t input_dim() const { return file.model.input_dim; }
  [[nodiscard]] std::int64_t latent_dim() const { return file.model.latent_dim; }
  [[nodiscard]] const Latent& latent() const { return latent_of(file.model.latent); }
  [[nodiscard]] const LatentTraits& traits() const { return latent().traits(); }
  /// Latents of rows first … first + count − 1 of a sample.
  [[nodiscard]] std::vector<float> draw(std::int64_t first, std::int64_t count, std::uint64_t seed,
                                        double temperature) const {
    return latent().draw_rows(first, count, layout.latent(), file.parameters, seed, temperature);
  }

  ModelFile file;
  ModelInfo info;
  std::string note;
  Said said;
  std::unique_ptr<Backend> backend;
  ParameterLayout layout;
  std::unique_ptr<ParameterStore> store;
  std::optional<Passes> passes;
  pid_t process = ::getpid();  ///< that loaded the model

  /// A GPU's context belongs to the process that opened it. \throws DeviceError in a forked one
  void check_process() const;
};

Vae::Impl::Impl(ModelFile from, const RunOn& on)
    : file(std::move(from)), info(info_of(file)), said(on.message) {
  const auto outside = [](std::int64_t value, std::int64_t most) { return value < 0 || value > most; };
  if (outside(on.batch_size, config::kBatchSize.max) || outside(on.threads, config::kThreads.max)) {
    throw ConfigError(fmt::format("a batch of {} rows on {} threads; expected 0 to {} rows, 0 to {} threads",
                                  on.batch_size, on.threads, config::kBatchSize.max, config::kThreads.max));
  }
  const DeviceChoice choice = choose_device(on.device, static_cast<int>(on.threads));
  note = choice.note;
  backend = make_backend(choice.device, on.precision);
  layout = make_layout(file.model);
  store = backend->make_parameters(layout.size, false);
  store->write(ParameterStore::Part::parameters, file.parameters);
  passes.emplace(*backend, *store, layout, file.model, file.preparation, on.batch_size);
}

void Vae::Impl::check_process() const {
  if (backend->device().kind == DeviceKind::cpu || process == ::getpid()) return;
  throw DeviceError(
      "this model was loaded on a GPU by the process that this one was forked from, and CUDA does not "
      "survive a fork: "
      "load it in each process (in Python start them by spawn), or run it with --device cpu");
}

std::int64_t Vae::Impl::run(PassKind kind, std::uint64_t seed, RowSource& source, const Reader& read,
                            const Sink& sink, std::int64_t samples) {
  check_process();
  const std::int64_t columns = source.columns();
  const PassSize size = passes->size_for(kind, source.rows().value_or(-1), samples);
  std::int64_t first = 0;
  for (;;) {
    const std::span<const float> block = source.next(size.capacity);
    if (block.empty()) return first;
    const std::int64_t rows = static_cast<std::int64_t>(block.size()) / columns;
    std::vector<float> condition;
    if (file.model.condition_dim > 0) condition = conditions_of(source, rows, file);
    {
      // Another thread may have it between two blocks: each block sets up all that it needs.
      const Passes::Lease lease = passes->take({kind, size, seed, samples});
      lease.pass().run(first, rows, block, condition);
      read({lease.pass(), first, rows, block});
    }
    sink();
    first += rows;
  }
}

void Vae::Impl::run_on_device(PassKind kind, std::uint64_t seed, const float* x, std::int64_t rows,
                              const std::vector<NamedMemory>& out, void* stream) {
  if (rows < 0 || (x == nullptr && rows > 0)) {
    throw ConfigError(fmt::format("{} rows at a null pointer, or fewer than none", rows));
  }
  if (file.model.condition_dim > 0) {
    throw ConfigError(
        "this model is conditional, and rows in device memory bring no labels: pass them by a source");
  }
  check_process();
  const Passes::Lease lease = passes->take({kind, {}, seed, 1});
  lease.pass().run_bound(0, rows, x, out, stream);
}

Vae::Vae(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vae::Vae(Vae&&) noexcept = default;
Vae& Vae::operator=(Vae&&) noexcept = default;
Vae::~Vae() = default;

Vae Vae::load(const std::string& path, const RunOn& on) {
  return Vae(std::make_unique<Impl>(load_model(path), on));
}

void Vae::save(const std::string& path) const {
  require_separate_files(std::array{NamedFile{"the output", path}}, {});
  save_model(path, impl_->file);
}

void Vae::save_npz(const std::string& path) const {
  require_separate_files(std::array{NamedFile{"the output", path}}, {});
  save_model_npz(path, impl_->file);
}

const ModelInfo& Vae::info() const {
  return impl_->info;
}

const DeviceInfo& Vae::device() const {
  return impl_->backend->device();
}

const std::string& Vae::device_note() const {
  return impl_->note;
}

std::vector<std::int64_t> Vae::match_columns(std::span<const std::string> names,
                                             const std::string& owner) const {
  const std::int64_t width = impl_->input_dim();
  const auto count = names.empty() ? width : static_cast<std::int64_t>(names.size());
  data::ColumnMatch match =
      data::match_columns({"the model", width, impl_->file.column_names}, {owner, count, names});
  if (!match.note.empty()) impl_->said.say(match.note);
  if (match.order.empty()) {
    match.order.resize(static_cast<std::size_t>(width));
    std::iota(match.order.begin(), match.order.end(), 0);
  }
  return match.order;
}

std::int64_t Vae::encode(RowSource& rows, const std::function<void(const EncodedBlock&)>& sink) const {
  const bool has_logvar = impl_->traits().has_density;
  const std::int64_t books = impl_->traits().has_codes ? impl_->file.model.codebooks.value() : 0;
  const bool holds_sigma = impl_->file.model.logvar_head == LogvarHead::logsigma;
  std::vector<float> mean;
  std::vector<float> logvar;
  std::vector<float> codes;
  EncodedBlock block;
  const auto read = [&](const Impl::Block& ran) {
    const auto size = static_cast<std::size_t>(ran.rows * impl_->latent_dim());
    mean.resize(size);
    ran.pass.read(exchanged::kMu, mean);
    if (books > 0) {
      codes.resize(static_cast<std::size_t>(ran.rows * books));
      ran.pass.read(exchanged::kCodes, codes);
    }
    if (has_logvar) {
      logvar.resize(size);
      ran.pass.read(exchanged::kLogvar, logvar);
    }
    if (holds_sigma) {
      for (float& value : logvar) value *= 2.0f;  // log σ² of log σ
    }
    block = {ran.first, ran.rows, mean, logvar, codes};
  };
  ModelRows met = impl_->met(rows);
  return impl_->run(PassKind::encode, 0, met, read, [&] { sink(block); });
}

void Vae::encode_on_device(const float* x, std::int64_t rows, float* mean, float* logvar,
                           void* stream) const {
  const ModelConfig& model = impl_->file.model;
  if (logvar != nullptr && !impl_->traits().has_density) {
    throw ConfigError(
        fmt::format("a {} latent has no log variance; pass null for it", impl_->traits().adjective));
  }
  if (logvar != nullptr && model.logvar_head == LogvarHead::logsigma) {
    throw ConfigError(
        "this model's head holds log sigma, which is doubled on the host alone; pass null for logvar");
  }
  impl_->run_on_device(PassKind::encode, 0, x, rows, {{exchanged::kMu, mean}, {exchanged::kLogvar, logvar}},
                       stream);
}

void Vae::elbo_on_device(const float* x, std::int64_t rows, std::uint64_t seed, float* reconstruction,
                         float* kl, void* stream) const {
  if (kl != nullptr && !impl_->traits().has_density) {
    throw ConfigError(
        fmt::format("a {} latent has no KL divergence; pass null for it", impl_->traits().adjective));
  }
  impl_->run_on_device(PassKind::evaluate, seed, x, rows,
                       {{exchanged::kNll, reconstruction}, {exchanged::kKl, kl}}, stream);
}

void Vae::decode_on_device(const float* z, std::int64_t rows, float* mean, void* stream) const {
  impl_->run_on_device(PassKind::decode, 0, z, rows, {{exchanged::kMean, mean}}, stream);
}

void Vae::reconstruct_on_device(const float* x, std::int64_t rows, float* mean, void* stream) const {
  impl_->run_on_device(PassKind::reconstruct, 0, x, rows, {{exchanged::kMean, mean}}, stream);
}

std::int64_t Vae::reconstruct(RowSource& rows,
                              const std::function<void(const ReconstructedBlock&)>& sink) const {
  std::vector<float> mean;
  ReconstructedBlock block;
  const auto read = [&](const Impl::Block& ran) {
    mean.resize(static_cast<std::size_t>(ran.rows * impl_->input_dim()));
    ran.pass.read(exchanged::kMean, mean);
    block = {ran.first, ran.rows, ran.input, mean};
  };
  ModelRows met = impl_->met(rows);
  return impl_->run(PassKind::reconstruct, 0, met, read, [&] {
    to_data_units(mean, impl_->file.preparation, impl_->file.model.likelihood);
    sink(block);
  });
}

std::int64_t Vae::Impl::elbo(RowSource& rows, std::uint64_t seed,
                             const std::function<void(const ElboBlock&)>& sink) {
  const bool has_kl = traits().has_density;
  const double constant = latent().code_cost(layout.latent());
  std::vector<float> reconstruction;
  std::vector<float> kl;
  ElboBlock block;
  const auto read = [&](const Block& ran) {
    reconstruction.resize(static_cast<std::size_t>(ran.rows));
    kl.assign(static_cast<std::size_t>(ran.rows), static_cast<float>(constant));
    ran.pass.read(exchanged::kNll, reconstruction);
    if (has_kl) ran.pass.read(exchanged::kKl, kl);
    take_overflow_for_infinite(reconstruction);
    take_overflow_for_infinite(kl);
    block = {ran.first, ran.rows, reconstruction, kl};
  };
  return run(PassKind::evaluate, seed, rows, read, [&] { sink(block); });
}

std::int64_t Vae::elbo(RowSource& rows, std::uint64_t seed,
                       const std::function<void(const ElboBlock&)>& sink) const {
  ModelRows met = impl_->met(rows);
  return impl_->elbo(met, seed, sink);
}

std::int64_t Vae::elbo(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                       const std::function<void(const ElboBlock&)>& sink) const {
  check_samples(samples, "latent");
  if (samples == 1) return elbo(rows, seed, sink);
  ModelRows met = impl_->met(rows);
  RepeatedRows repeated(met, samples);
  std::vector<float> reconstruction;
  std::vector<float> kl;
  std::int64_t done = 0;
  std::int64_t taken = 0;
  double reconstruction_sum = 0.0;
  double kl_sum = 0.0;
  const auto mean = [samples](double sum) { return static_cast<float>(sum / static_cast<double>(samples)); };
  impl_->elbo(repeated, seed, [&](const ElboBlock& block) {
    reconstruction.clear();
    kl.clear();
    for (std::size_t i = 0; i < block.kl.size(); ++i) {
      reconstruction_sum += static_cast<double>(block.reconstruction[i]);
      kl_sum += static_cast<double>(block.kl[i]);
      if (++taken < samples) continue;
      reconstruction.push_back(mean(std::exchange(reconstruction_sum, 0.0)));
      kl.push_back(mean(std::exchange(kl_sum, 0.0)));
      taken = 0;
    }
    if (kl.empty()) return;
    const auto rows_done = static_cast<std::int64_t>(kl.size());
    sink({done, rows_done, reconstruction, kl});
    done += rows_done;
  });
  return done;
}

std::int64_t Vae::log_likelihood(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                                 const std::function<void(const LogLikelihoodBlock&)>& sink) const {
  check_samples(samples, "importance");
  std::vector<float> values;
  LogLikelihoodBlock block;
  const auto read = [&](const Impl::Block& ran) {
    values.resize(static_cast<std::size_t>(ran.rows));
    ran.pass.read(exchanged::kNll, values);
    take_overflow_for_infinite(values);
    for (float& value : values) value = -value;
    block = {ran.first, ran.rows, values};
  };
  ModelRows met = impl_->met(rows);
  return impl_->run(
      PassKind::likelihood, seed, met, read, [&] { sink(block); }, samples);
}

std::int64_t Vae::decode(RowSource& z, const std::function<void(const DecodedBlock&)>& sink) const {
  std::vector<float> mean;
  DecodedBlock block;
  const auto read = [&](const Impl::Block& ran) {
    mean.resize(static_cast<std::size_t>(ran.rows * impl_->input_dim()));
    ran.pass.read(exchanged::kMean, mean);
    block = {ran.first, ran.rows, mean};
  };
  ModelRows met = impl_->met(z, ModelRows::Kind::latents);
  return impl_->run(PassKind::decode, 0, met, read, [&] {
    to_data_units(mean, impl_->file.preparation, impl_->file.model.likelihood);
    sink(block);
  });
}

std::int64_t Vae::sample(std::int64_t count, std::uint64_t seed, double temperature,
                         const std::function<void(const DecodedBlock&)>& sink,
                         const std::string& label) const {
  check_draw(impl_->file.model, count, temperature);
  if (!label.empty() && impl_->file.model.condition_dim == 0) {
    throw ConfigError(
        fmt::format("label {}: this model was not trained with --conditional, so it draws from all "
                    "labels alike",
                    label));
  }
  if (impl_->file.model.condition_dim > 0) require_label(impl_->info, label);
  DrawnRows drawn(count, impl_->latent_dim(), [&](std::int64_t first, std::int64_t rows) {
    return impl_->draw(first, rows, seed, temperature);
  });
  if (label.empty()) return decode(drawn, sink);
  return decode(*with_label(drawn, label), sink);
}

std::vector<float> Vae::sample_latents(std::int64_t count, std::uint64_t seed, double temperature) const {
  check_draw(impl_->file.model, count, temperature);
  return impl_->draw(0, count, seed, temperature);
}

}  // namespace vaecuda
