// C API: trained models.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"
#include "host/capi/output.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/report.hpp"

vaecuda_model::vaecuda_model(vaecuda::Vae loaded, std::function<void(const std::string&)> told)
    : vae(std::move(loaded)), message(std::move(told)) {
  vaecuda::RunConfig run;
  run.model = vae.info().model;
  likelihood = vaecuda::find_option_by_key("model.likelihood")->get(run);
  activation = vaecuda::find_option_by_key("model.activation")->get(run);
  latent = vaecuda::find_option_by_key("model.latent")->get(run);
  const vaecuda::DeviceInfo& on = vae.device();
  device = on.kind == vaecuda::DeviceKind::cpu ? "cpu" : fmt::format("cuda:{}", on.index);
}

namespace vaecuda::capi {
namespace {

/// A caller's rows. \throws ConfigError for a width that is not the model's
std::span<const float> rows_of(const float* values, std::int64_t rows, std::int64_t columns,
                               std::int64_t width, std::string_view what) {
  if (columns != width) {
    throw ConfigError(fmt::format("{} has {} columns, but the model has {}", what, columns, width));
  }
  const std::int64_t count = checked_count(rows, columns);
  if (count > 0) (void)required(values, what);
  return {values, static_cast<std::size_t>(count)};
}

std::int64_t input_dim(const vaecuda_model& model) {
  return model.vae.info().model.input_dim;
}
std::int64_t latent_dim(const vaecuda_model& model) {
  return model.vae.info().model.latent_dim;
}

const char* name_at(const std::vector<std::string>& names, std::int64_t index) {
  if (index < 0 || index >= static_cast<std::int64_t>(names.size())) return nullptr;
  return names[static_cast<std::size_t>(index)].c_str();
}

RunOn to_run_on(const vaecuda_run_on& given) {
  RunOn on;
  if (given.device != nullptr) on.device = given.device;
  on.threads = given.threads;
  if (given.precision != nullptr) {
    RunConfig run;
    find_option_by_key("train.precision")->set(run, given.precision, "precision");
    on.precision = run.train.precision;
  }
  if (given.message != nullptr) {
    on.message = [call = given.message, user = given.user](const std::string& line) {
      call(user, line.c_str());
    };
  }
  return on;
}

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;

extern "C" {

int vaecuda_write_report(const char* run_dir, const char* path, const vaecuda_run_on* on) {
  return guarded([&] {
    const vaecuda_run_on none = VAECUDA_RUN_ON_INIT;
    vaecuda::ReportOptions options;
    options.on = to_run_on(read_struct(on, none, "on"));
    if (path != nullptr) options.path = path;
    (void)vaecuda::write_report(required_text(run_dir, "run_dir"), options);
  });
}

int vaecuda_model_load(const char* path, const vaecuda_run_on* on, vaecuda_model** result) {
  return guarded([&] {
    required(result, "result");
    const vaecuda_run_on none = VAECUDA_RUN_ON_INIT;
    const vaecuda::RunOn where = to_run_on(read_struct(on, none, "on"));
    *result =
        std::make_unique<vaecuda_model>(vaecuda::Vae::load(required_text(path, "path"), where), where.message)
            .release();
  });
}

int vaecuda_model_save(const vaecuda_model* model, const char* path) {
  return guarded([&] { required(model, "model").vae.save(required_text(path, "path")); });
}

int vaecuda_model_describe(const vaecuda_model* model, vaecuda_model_info* info) {
  return guarded([&] {
    const vaecuda::ModelInfo& from = required(model, "model").vae.info();
    required(info, "info");
    vaecuda_model_info result = VAECUDA_MODEL_INFO_INIT;
    result.input_dim = from.model.input_dim;
    result.latent_dim = from.model.latent_dim;
    result.parameters = from.parameters;
    result.steps = from.steps;
    result.seed = from.seed;
    if (from.image) {
      result.image_height = from.image->height;
      result.image_width = from.image->width;
      result.image_channels = from.image->channels;
    }
    result.likelihood = model->likelihood.c_str();
    result.activation = model->activation.c_str();
    result.latent = model->latent.c_str();
    result.device = model->device.c_str();
    result.device_note = model->vae.device_note().c_str();
    write_struct(info, result, "info");
  });
}

const char* vaecuda_model_column(const vaecuda_model* model, int64_t index) {
  return model == nullptr ? nullptr : name_at(model->vae.info().column_names, index);
}

const char* vaecuda_model_label_column(const vaecuda_model* model, int64_t index) {
  return model == nullptr ? nullptr : name_at(model->vae.info().label_vector_names, index);
}

int vaecuda_model_match_columns(const vaecuda_model* model, const char* const* names, size_t count,
                                int64_t* order, size_t order_size) {
  return guarded([&] {
    require_room(order, order_size, input_dim(required(model, "model")), "order");
    const std::vector<std::string> texts = required_texts(names, count, "names");
    const std::vector<std::int64_t> found = model->vae.match_columns(texts);
    std::copy(found.begin(), found.end(), order);
  });
}

void vaecuda_model_free(vaecuda_model* model) {
  delete model;
}

int vaecuda_encode(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns, float* mean,
                   size_t mean_size, float* logvar, size_t logvar_size) {
  return guarded([&] {
    required(model, "model");
    const std::span<const float> values = rows_of(x, rows, columns, input_dim(*model), "x");
    const Output means{mean, mean_size, "mean"};
    const Output logvars{logvar, logvar_size, "logvar"};
    for (const Output& output : {means, logvars}) {
      if (output.wanted()) output.require(rows, latent_dim(*model));
    }
    if (logvars.wanted()) require_logvar(*model);
    const vaecuda::Encoded encoded = model->vae.encode(values);
    if (means.wanted()) means.take(encoded.mean);
    if (logvars.wanted()) logvars.take(encoded.logvar);
  });
}

int vaecuda_decode(const vaecuda_model* model, const float* z, int64_t rows, int64_t columns, float* x,
                   size_t x_size) {
  return guarded([&] {
    required(model, "model");
    const std::span<const float> values = rows_of(z, rows, columns, latent_dim(*model), "z");
    const Output output{x, x_size, "x"};
    output.require(rows, input_dim(*model));
    output.take(model->vae.decode(values));
  });
}

int vaecuda_reconstruct(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                        float* result, size_t result_size) {
  return guarded([&] {
    required(model, "model");
    const std::span<const float> values = rows_of(x, rows, columns, input_dim(*model), "x");
    const Output output{result, result_size, "result"};
    output.require(rows, input_dim(*model));
    output.take(model->vae.reconstruct(values));
  });
}

int vaecuda_sample(const vaecuda_model* model, int64_t count, uint64_t seed, double temperature, float* x,
                   size_t x_size) {
  return guarded([&] {
    const Output output{x, x_size, "x"};
    output.require(count, input_dim(required(model, "model")));
    output.take(model->vae.sample(count, seed, temperature));
  });
}

int vaecuda_sample_latents(const vaecuda_model* model, int64_t count, uint64_t seed, double temperature,
                           float* z, size_t z_size) {
  return guarded([&] {
    const Output output{z, z_size, "z"};
    output.require(count, latent_dim(required(model, "model")));
    output.take(model->vae.sample_latents(count, seed, temperature));
  });
}

int vaecuda_interpolate(const vaecuda_model* model, const float* z1, const float* z2, int64_t columns,
                        int64_t steps, int spherical, float* x, size_t x_size) {
  return guarded([&] {
    required(model, "model");
    const std::span<const float> from = rows_of(z1, 1, columns, latent_dim(*model), "z1");
    const std::span<const float> to = rows_of(z2, 1, columns, latent_dim(*model), "z2");
    const Output output{x, x_size, "x"};
    output.require(steps, input_dim(*model));
    output.take(model->vae.interpolate(from, to, steps, spherical != 0));
  });
}

int vaecuda_elbo(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns, uint64_t seed,
                 float* reconstruction, size_t reconstruction_size, float* kl, size_t kl_size) {
  return guarded([&] {
    required(model, "model");
    const std::span<const float> values = rows_of(x, rows, columns, input_dim(*model), "x");
    const Output reconstructions{reconstruction, reconstruction_size, "reconstruction"};
    const Output kls{kl, kl_size, "kl"};
    for (const Output& output : {reconstructions, kls}) {
      if (output.wanted()) output.require(rows, 1);
    }
    const vaecuda::ElboTerms terms = model->vae.elbo(values, seed);
    if (reconstructions.wanted()) reconstructions.take(terms.reconstruction);
    if (kls.wanted()) kls.take(terms.kl);
  });
}

int vaecuda_score(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns, uint64_t seed,
                  float* score, size_t score_size) {
  return guarded([&] {
    required(model, "model");
    const std::span<const float> values = rows_of(x, rows, columns, input_dim(*model), "x");
    const Output output{score, score_size, "score"};
    output.require(rows, 1);
    const vaecuda::ElboTerms terms = model->vae.elbo(values, seed);
    for (std::size_t i = 0; i < terms.kl.size(); ++i) score[i] = terms.reconstruction[i] + terms.kl[i];
  });
}

int vaecuda_log_likelihood(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                           int64_t samples, uint64_t seed, float* log_likelihood,
                           size_t log_likelihood_size) {
  return guarded([&] {
    required(model, "model");
    const std::span<const float> values = rows_of(x, rows, columns, input_dim(*model), "x");
    const Output output{log_likelihood, log_likelihood_size, "log_likelihood"};
    output.require(rows, 1);
    const std::vector<float> result = model->vae.log_likelihood(values, samples, seed);
    std::copy(result.begin(), result.end(), log_likelihood);
  });
}

}  // extern "C"
