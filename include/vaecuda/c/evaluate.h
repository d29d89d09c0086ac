/* What a trained model is worth on data. The rules for all of the C interface are in vaecuda/vaecuda.h. */
#ifndef VAECUDA_C_EVALUATE_H
#define VAECUDA_C_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "vaecuda/c/dataset.h"
#include "vaecuda/c/model.h"
#include "vaecuda/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(modernize-use-using): this is C. */

/* What a model is worth on data; docs/evaluation.md defines the figures. Means over rows in nats, with the
 * standard error of the mean as ..._error. What does not apply (no samples asked for, no posterior, no labels
 * or factors) is NaN. Fill it with VAECUDA_EVALUATION_INIT first. */
typedef struct vaecuda_evaluation {
  size_t size; /* sizeof(vaecuda_evaluation) */
  int64_t rows;
  int64_t active_units; /* latents whose posterior mean varies over the rows by more than 0.01 */
  double negative_elbo;
  double negative_elbo_error;
  double reconstruction;
  double reconstruction_error;
  double kl;
  double kl_error;
  double nll; /* -log p(x) by importance sampling */
  double nll_error;
  double squared_error; /* mean over the columns, of the decoded posterior mean, prepared units */
  double squared_error_error;
  double negative_elbo_bits; /* per dimension */
  double nll_bits;
  double information;            /* I(x; z) */
  double marginal_kl;            /* KL(mean over the rows of q(z|x) || p(z)) */
  double mutual_information_gap; /* of the data set's factors, else of its labels */
  int64_t anomalies;             /* rows with the label that marks them; 0 where none does */
  double roc_auc;                /* how well the negative ELBO shows them; NaN where there are none */
  double average_precision;
} vaecuda_evaluation;

/* clang-format off */
#define VAECUDA_EVALUATION_INIT \
  {sizeof(vaecuda_evaluation), 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, \
   0, 0.0, 0.0}
/* clang-format on */

/* Runs the model over all rows. `samples`: importance samples of each row for the nll; 0: none. `latent_kl`:
 * the mean KL of each latent, (Z); NULL with a size of 0 where it is not wanted. */
VAECUDA_API int vaecuda_evaluate(const vaecuda_model* model, const vaecuda_dataset* data, int64_t samples,
                                 uint64_t seed, vaecuda_evaluation* result, double* latent_kl,
                                 size_t latent_kl_size);

/* How a model is evaluated. Fill it with VAECUDA_EVALUATE_OPTIONS_INIT first. */
typedef struct vaecuda_evaluate_options {
  size_t size;               /* sizeof(vaecuda_evaluate_options) */
  int64_t samples;           /* importance samples of each row for the nll; 0: none */
  uint64_t seed;             /* of the drawn latents */
  int64_t elbo_samples;      /* latents of each row of the negative ELBO, 1 or more */
  double active_threshold;   /* of active_units */
  int64_t bins;              /* that a latent's means are counted in for the mutual information gap */
  const char* anomaly_label; /* that marks anomalies; NULL: "1" where the labels are just 0 and 1, "True" of
                                False and True */
} vaecuda_evaluate_options;

/* clang-format off */
#define VAECUDA_EVALUATE_OPTIONS_INIT {sizeof(vaecuda_evaluate_options), 0, 0, 1, 0.01, 20, NULL}
/* clang-format on */

/* As vaecuda_evaluate, which has the other options at their defaults. `options` may be NULL. What shows that
 * the model can say little of these rows is told to vaecuda_run_on.message every time, in lines that begin
 * with "warning: ". */
VAECUDA_API int vaecuda_evaluate_with(const vaecuda_model* model, const vaecuda_dataset* data,
                                      const vaecuda_evaluate_options* options, vaecuda_evaluation* result,
                                      double* latent_kl, size_t latent_kl_size);

/* NOLINTEND(modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
