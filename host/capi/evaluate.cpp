// C API: evaluation of a trained model.
#include "vaecuda/evaluate.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"

namespace vaecuda::capi {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

vaecuda_evaluation to_c_evaluation(const Evaluation& from) {
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
  result.roc_auc = result.average_precision = kNaN;
  if (from.anomalies) {
    result.anomalies = from.anomalies->anomalies;
    for (const ScoreFigures& figures : from.anomalies->scores) {
      if (figures.score != "negative_elbo") continue;
      result.roc_auc = figures.roc_auc;
      result.average_precision = figures.average_precision;
    }
  }
  return result;
}

EvaluateOptions to_options(const vaecuda_evaluate_options& from) {
  EvaluateOptions options;
  options.samples = from.samples;
  options.seed = from.seed;
  options.elbo_samples = from.elbo_samples;
  options.active_threshold = from.active_threshold;
  options.bins = from.bins;
  if (from.anomaly_label != nullptr) options.anomaly_label = from.anomaly_label;
  return options;
}

/// Fills the results that the caller requested. Returns the warnings.
std::vector<std::string> evaluated(const vaecuda_model* model, const vaecuda_dataset* data,
                                   const vaecuda_evaluate_options* options, vaecuda_evaluation* result,
                                   double* latent_kl, std::size_t latent_kl_size) {
  const Vae& vae = required(model, "model").vae;
  const Dataset& rows = required(data, "data").data;
  const vaecuda_evaluate_options usual = VAECUDA_EVALUATE_OPTIONS_INIT;
  const EvaluateOptions how = to_options(read_struct(options, usual, "options"));
  const vaecuda_evaluation none = VAECUDA_EVALUATION_INIT;
  (void)read_struct(&required(result, "result"), none, "result");
  const bool wanted = latent_kl != nullptr || latent_kl_size > 0;
  if (wanted) require_room(latent_kl, latent_kl_size, vae.info().model.latent_dim, "latent_kl");
  Evaluation evaluation = evaluate(vae, rows, how);
  write_struct(result, to_c_evaluation(evaluation), "result");
  for (std::size_t j = 0; wanted && j < evaluation.latents.size(); ++j) {
    latent_kl[j] = evaluation.latents[j].kl;
  }
  return std::move(evaluation.warnings);
}

}  // namespace
}  // namespace vaecuda::capi

using namespace vaecuda::capi;

extern "C" {

int vaecuda_evaluate(const vaecuda_model* model, const vaecuda_dataset* data, int64_t samples, uint64_t seed,
                     vaecuda_evaluation* result, double* latent_kl, size_t latent_kl_size) {
  vaecuda_evaluate_options options = VAECUDA_EVALUATE_OPTIONS_INIT;
  options.samples = samples;
  options.seed = seed;
  return guarded([&] { (void)evaluated(model, data, &options, result, latent_kl, latent_kl_size); });
}

int vaecuda_evaluate_with(const vaecuda_model* model, const vaecuda_dataset* data,
                          const vaecuda_evaluate_options* options, vaecuda_evaluation* result,
                          double* latent_kl, size_t latent_kl_size) {
  return guarded([&] {
    const std::vector<std::string> warnings =
        evaluated(model, data, options, result, latent_kl, latent_kl_size);
    if (!model->message) return;
    for (const std::string& warning : warnings) model->message("warning: " + warning);
  });
}

}  // extern "C"
