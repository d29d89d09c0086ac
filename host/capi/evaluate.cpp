// C API: what a trained model is worth on data.
#include "vaecuda/evaluate.hpp"

#include <limits>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"

namespace vaecuda::capi {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

vaecuda_evaluation to_c(const Evaluation& from) {
  vaecuda_evaluation result = VAECUDA_EVALUATION_INIT;
  const auto put = [](const Estimate& estimate, double& mean, double& error) {
    mean = estimate.mean;
    error = estimate.standard_error;
  };
  result.rows = from.rows;
  result.active_units = from.active_units;
  put(from.negative_elbo, result.negative_elbo, result.negative_elbo_error);
  put(from.reconstruction, result.reconstruction, result.reconstruction_error);
  put(from.kl, result.kl, result.kl_error);
  put(from.nll.value_or(Estimate{kNaN, kNaN}), result.nll, result.nll_error);
  put(from.squared_error, result.squared_error, result.squared_error_error);
  result.negative_elbo_bits = from.negative_elbo_bits;
  result.nll_bits = from.nll_bits.value_or(kNaN);
  result.information = from.aggregate ? from.aggregate->information : kNaN;
  result.marginal_kl = from.aggregate ? from.aggregate->marginal_kl : kNaN;
  result.mutual_information_gap = from.mutual_information_gap.value_or(kNaN);
  return result;
}

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;

extern "C" {

int vaecuda_evaluate(const vaecuda_model* model, const vaecuda_dataset* data, int64_t samples, uint64_t seed,
                     vaecuda_evaluation* result, double* latent_kl, size_t latent_kl_size) {
  return guarded([&] {
    const vaecuda::Vae& vae = required(model, "model").vae;
    const vaecuda::Dataset& rows = required(data, "data").data;
    const vaecuda_evaluation none = VAECUDA_EVALUATION_INIT;
    (void)read_struct(&required(result, "result"), none, "result");
    const bool wanted = latent_kl != nullptr || latent_kl_size > 0;
    if (wanted) require_room(latent_kl, latent_kl_size, vae.info().model.latent_dim, "latent_kl");
    vaecuda::EvaluateOptions options;
    options.samples = samples;
    options.seed = seed;
    const vaecuda::Evaluation evaluation = vaecuda::evaluate(vae, rows, options);
    write_struct(result, to_c(evaluation), "result");
    if (!wanted) return;
    for (std::size_t j = 0; j < evaluation.latents.size(); ++j) latent_kl[j] = evaluation.latents[j].kl;
  });
}

}  // extern "C"
