#include "vaecuda/vae.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <utility>

#include "host/config/enumerators.hpp"
#include "host/config/limits.hpp"
#include "host/data/match_columns.hpp"
#include "host/inference/conditions.hpp"
#include "host/inference/latents.hpp"
#include "host/inference/vae_impl.hpp"
#include "host/plan/exchanged.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace {

/// `file` may lack its parameters.
ModelInfo info_of(const ModelFile& file) {
  ModelInfo info;
  info.model = file.model;
  info.image = file.image;
  info.column_names = file.column_names;
  info.condition_names = file.condition_names;
  info.label_vector_names = file.label_vector_names;
  info.scale = file.preparation.scale;
  info.trained_on = file.trained_on;
  info.mean = file.preparation.mean;
  info.inverse_deviation = file.preparation.inverse_deviation;
  info.binarize = config::same_as<BinarizeMode>(file.preparation.binarize);
  info.objective = file.objective;
  info.seed = file.seed;
  info.steps = file.steps;
  info.parameters = make_layout(file.model).parameters;
  for (const ModelTensor& tensor : tensors_of(file)) info.tensors.push_back({tensor.name, tensor.shape});
  return info;
}

/// Latents that are drawn when they are asked for.
class DrawnRows final : public RowSource {
 public:
  /// Gives the latents of rows first … first + count − 1.
  using Draw = std::function<std::vector<float>(std::int64_t first, std::int64_t count)>;
  DrawnRows(std::int64_t count, std::int64_t latent_dim, Draw draw)
      : count_(count), latent_dim_(latent_dim), draw_(std::move(draw)) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t columns() const override { return latent_dim_; }
  [[nodiscard]] std::optional<std::int64_t> rows() const override { return count_; }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    const std::int64_t rows = std::min(most, count_ - done_);
    block_ = draw_(done_, rows);
    done_ += rows;
    return block_;
  }

 private:
  std::string name_ = "the prior";
  std::int64_t count_;
  std::int64_t latent_dim_;
  Draw draw_;
  std::int64_t done_ = 0;
  std::vector<float> block_;
};

}  // namespace

ModelInfo read_model_info(const std::string& path) {
  return info_of(load_model_head(path));
}

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
  passes.emplace(on_device(), on.batch_size);
}

void Vae::Impl::check_process() const {
  if (backend->device().kind == DeviceKind::cpu || process == ::getpid()) return;
  throw DeviceError(
      "this model was loaded on a GPU by the process that this one was forked from, and CUDA does not "
      "survive a fork: load it in each process (in Python start them by spawn), or run it with --device cpu");
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

ModelOnDevice on_device(const Vae& vae) {
  return vae.impl_->on_device();
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

std::int64_t Vae::sample(std::int64_t count, std::uint64_t seed, double temperature,
                         const std::function<void(const DecodedBlock&)>& sink,
                         const std::string& label) const {
  check_draw(impl_->file.model, count, temperature);
  if (!label.empty() && impl_->file.model.condition_dim == 0) {
    throw ConfigError(fmt::format(
        "label {}: this model was not trained with --conditional, so it draws from all labels alike", label));
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
