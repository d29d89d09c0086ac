// C API: trained models on the rows of a data set.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"
#include "host/capi/output.hpp"

namespace vaecuda::capi {
namespace {

/// The rows of a data set for a pass of a model, which matches columns by name if there are names.
std::unique_ptr<RowSource> source_of(const vaecuda_dataset* dataset, std::int64_t width,
                                     std::string_view what) {
  const Dataset& data = required(dataset, what).data;
  if (data.column_names().empty() && data.columns() != width) {
    throw ConfigError(
        fmt::format("{} has {} columns, but the model has {}", data.name(), data.columns(), width));
  }
  return rows_of(data);
}

std::int64_t input_dim(const vaecuda_model* model) {
  return required(model, "model").vae.info().model.input_dim;
}

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;

extern "C" {

int vaecuda_encode_dataset(const vaecuda_model* model, const vaecuda_dataset* data, float* mean,
                           size_t mean_size, float* logvar, size_t logvar_size) {
  return guarded([&] {
    const auto source = source_of(data, input_dim(model), "data");
    const std::int64_t latent = model->vae.info().model.latent_dim;
    const Output means{mean, mean_size, "mean"};
    const Output logvars{logvar, logvar_size, "logvar"};
    for (const Output& output : {means, logvars}) {
      if (output.wanted()) output.require(data->data.rows(), latent);
    }
    if (logvars.wanted()) require_logvar(*model);
    model->vae.encode(*source, [&](const vaecuda::EncodedBlock& block) {
      if (means.wanted()) means.take(block.mean, block.first * latent);
      if (logvars.wanted()) logvars.take(block.logvar, block.first * latent);
    });
  });
}

int vaecuda_decode_dataset(const vaecuda_model* model, const vaecuda_dataset* latents, float* x,
                           size_t x_size) {
  return guarded([&] {
    const std::int64_t width = input_dim(model);
    const auto source = source_of(latents, model->vae.info().model.latent_dim, "latents");
    const Output output{x, x_size, "x"};
    output.require(latents->data.rows(), width);
    model->vae.decode(
        *source, [&](const vaecuda::DecodedBlock& block) { output.take(block.mean, block.first * width); });
  });
}

int vaecuda_reconstruct_dataset(const vaecuda_model* model, const vaecuda_dataset* data, float* result,
                                size_t result_size) {
  return guarded([&] {
    const std::int64_t width = input_dim(model);
    const auto source = source_of(data, width, "data");
    const Output output{result, result_size, "result"};
    output.require(data->data.rows(), width);
    model->vae.reconstruct(*source, [&](const vaecuda::ReconstructedBlock& block) {
      output.take(block.mean, block.first * width);
    });
  });
}

int vaecuda_elbo_dataset(const vaecuda_model* model, const vaecuda_dataset* data, uint64_t seed,
                         float* reconstruction, size_t reconstruction_size, float* kl, size_t kl_size) {
  return vaecuda_elbo_samples(model, data, 1, seed, reconstruction, reconstruction_size, kl, kl_size);
}

int vaecuda_elbo_samples(const vaecuda_model* model, const vaecuda_dataset* data, int64_t samples,
                         uint64_t seed, float* reconstruction, size_t reconstruction_size, float* kl,
                         size_t kl_size) {
  return guarded([&] {
    const auto source = source_of(data, input_dim(model), "data");
    const Output reconstructions{reconstruction, reconstruction_size, "reconstruction"};
    const Output kls{kl, kl_size, "kl"};
    for (const Output& output : {reconstructions, kls}) {
      if (output.wanted()) output.require(data->data.rows(), 1);
    }
    model->vae.elbo(*source, samples, seed, [&](const vaecuda::ElboBlock& block) {
      if (reconstructions.wanted()) reconstructions.take(block.reconstruction, block.first);
      if (kls.wanted()) kls.take(block.kl, block.first);
    });
  });
}

int vaecuda_score_dataset(const vaecuda_model* model, const vaecuda_dataset* data, uint64_t seed,
                          float* score, size_t score_size) {
  return guarded([&] {
    const auto source = source_of(data, input_dim(model), "data");
    const Output output{score, score_size, "score"};
    output.require(data->data.rows(), 1);
    model->vae.elbo(*source, seed, [&](const vaecuda::ElboBlock& block) {
      std::transform(block.reconstruction.begin(), block.reconstruction.end(), block.kl.begin(),
                     score + block.first, [](float a, float b) { return a + b; });
    });
  });
}

int vaecuda_log_likelihood_dataset(const vaecuda_model* model, const vaecuda_dataset* data, int64_t samples,
                                   uint64_t seed, float* log_likelihood, size_t log_likelihood_size) {
  return guarded([&] {
    const auto source = source_of(data, input_dim(model), "data");
    const Output output{log_likelihood, log_likelihood_size, "log_likelihood"};
    output.require(data->data.rows(), 1);
    model->vae.log_likelihood(*source, samples, seed, [&](const vaecuda::LogLikelihoodBlock& block) {
      output.take(block.log_likelihood, block.first);
    });
  });
}

}  // extern "C"
