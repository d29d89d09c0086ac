/* Trained models. The rules for all of the C interface are in vaecuda/vaecuda.h. */
#ifndef VAECUDA_C_MODEL_H
#define VAECUDA_C_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "vaecuda/c/dataset.h"
#include "vaecuda/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(modernize-use-using): this is C. */

typedef struct vaecuda_model vaecuda_model;

/* Where and how a model runs. Fill it with VAECUDA_RUN_ON_INIT first. */
typedef struct vaecuda_run_on {
  size_t size;           /* sizeof(vaecuda_run_on) */
  const char* device;    /* "auto", "cpu", "cuda", "cuda:N"; NULL: auto */
  int64_t threads;       /* CPU threads; 0: one per core that the process may use */
  const char* precision; /* "fp32", "tf32", "bf16"; NULL: fp32 */
  void* user;            /* what `message` gets back */
  /* Told, in one line for a person, what was noticed when rows met the model: columns put in its order or
   * left out, values of another scale; each line once. May be NULL. Called from the thread that uses the
   * model, from several at once where several do; `line` is valid during the call. It must return: no
   * longjmp, no C++ exception. */
  void (*message)(void* user, const char* line);
} vaecuda_run_on;

/* clang-format off */
#define VAECUDA_RUN_ON_INIT {sizeof(vaecuda_run_on), NULL, 0, NULL, NULL, NULL}
/* clang-format on */

/* What a model file says about itself. Texts live as long as the model. Fill it with VAECUDA_MODEL_INFO_INIT
 * first. */
typedef struct vaecuda_model_info {
  size_t size;          /* sizeof(vaecuda_model_info) */
  int64_t input_dim;    /* D: values in a row */
  int64_t latent_dim;   /* Z: values in a latent */
  int64_t parameters;   /* numbers that were learned */
  int64_t steps;        /* training steps taken */
  uint64_t seed;        /* of the training run */
  int64_t image_height; /* 0 where rows are no pictures */
  int64_t image_width;
  int64_t image_channels;
  const char* likelihood;  /* as in option model.likelihood */
  const char* activation;  /* as in option model.activation */
  const char* latent;      /* as in option model.latent */
  const char* device;      /* where it runs: "cpu", "cuda:0" */
  const char* device_note; /* why "auto" came to the CPU or has fewer threads, in one line; or "" */
} vaecuda_model_info;

/* clang-format off */
#define VAECUDA_MODEL_INFO_INIT {sizeof(vaecuda_model_info), 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL}
/* clang-format on */

/* Writes the page of a run (docs/report.md) from its folder and the rows that its config.toml names, to
 * `path` or, where that is NULL, to report.html in the folder. Of rows that were in memory the page tells
 * less than vaecuda_observer.report. `on` may be NULL. */
VAECUDA_API int vaecuda_write_report(const char* run_dir, const char* path, const vaecuda_run_on* on);

/* Reads a model file onto a device. `on` may be NULL. */
VAECUDA_API int vaecuda_model_load(const char* path, const vaecuda_run_on* on, vaecuda_model** result);
/* Writes the model file again, as a whole or not at all. */
VAECUDA_API int vaecuda_model_save(const vaecuda_model* model, const char* path);
VAECUDA_API int vaecuda_model_describe(const vaecuda_model* model, vaecuda_model_info* info);
/* The name of the model's column `index`, which lives as long as the model; NULL where it has none. */
VAECUDA_API const char* vaecuda_model_column(const vaecuda_model* model, int64_t index);
/* The same of the numbers of a label vector that a conditional model is told. */
VAECUDA_API const char* vaecuda_model_label_column(const vaecuda_model* model, int64_t index);
/* For each of the model's D columns the index of the column of that name among `names`: what puts rows in
 * order before they are passed. Columns that the model does not know are left out, and `message` is told; one
 * that is missing, or a name that stands twice, is refused with VAECUDA_BAD_FILE. A model without names takes
 * columns by position. */
VAECUDA_API int vaecuda_model_match_columns(const vaecuda_model* model, const char* const* names,
                                            size_t count, int64_t* order, size_t order_size);
VAECUDA_API void vaecuda_model_free(vaecuda_model* model);

/* In what follows a row's result depends on the row, its index and the model, and where noise is drawn on the
 * seed: not on the rows beside it, nor on threads. (The index counts for the noise; on a GPU or a processor
 * without AVX2 also for the last bits: a row's place in a block of a matrix product.) `columns` must be D (or
 * Z for latents). */

/* Mean and log variance of q(z|x), each (rows, Z). Either may be NULL with a size of 0. A deterministic or
 * quantized latent has no log variance; asking for it is refused. The mean of a quantized one are its codes.
 */
VAECUDA_API int vaecuda_encode(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                               float* mean, size_t mean_size, float* logvar, size_t logvar_size);
/* Means of p(x|z): (rows, D). */
VAECUDA_API int vaecuda_decode(const vaecuda_model* model, const float* z, int64_t rows, int64_t columns,
                               float* x, size_t x_size);
/* Each row encoded to its posterior mean and decoded: (rows, D). */
VAECUDA_API int vaecuda_reconstruct(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                                    float* result, size_t result_size);
/* Means of p(x|z) for z drawn from N(0, temperature^2): (count, D). */
VAECUDA_API int vaecuda_sample(const vaecuda_model* model, int64_t count, uint64_t seed, double temperature,
                               float* x, size_t x_size);
/* The latents that vaecuda_sample decodes: (count, Z). */
VAECUDA_API int vaecuda_sample_latents(const vaecuda_model* model, int64_t count, uint64_t seed,
                                       double temperature, float* z, size_t z_size);
/* Means of p(x|z) along `steps` latents from z1 to z2 (`columns` values each), ends included: (steps, D). On
 * a straight line, or on an arc with `spherical` other than 0. */
VAECUDA_API int vaecuda_interpolate(const vaecuda_model* model, const float* z1, const float* z2,
                                    int64_t columns, int64_t steps, int spherical, float* x, size_t x_size);
/* The terms of the negative ELBO in nats for one z drawn from q(z|x): -log p(x|z) and KL(q(z|x) || N(0, 1)),
 * (rows) each. Either may be NULL with a size of 0. Their sum is the score: large for unusual rows. */
VAECUDA_API int vaecuda_elbo(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                             uint64_t seed, float* reconstruction, size_t reconstruction_size, float* kl,
                             size_t kl_size);
/* The negative ELBO per row: (rows). */
VAECUDA_API int vaecuda_score(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                              uint64_t seed, float* score, size_t score_size);
/* log p(x) per row by importance sampling with `samples` latents drawn from q(z|x): (rows), nats of the
 * prepared data; in expectation a lower bound, tighter with every sample (Burda et al., arXiv 1509.00519). A
 * latent without a density is refused. */
VAECUDA_API int vaecuda_log_likelihood(const vaecuda_model* model, const float* x, int64_t rows,
                                       int64_t columns, int64_t samples, uint64_t seed, float* log_likelihood,
                                       size_t log_likelihood_size);

/* The same for the rows of a data set, whose names and labels are used: columns are put in the model's order
 * by name, and a conditional model is told each row's label, the numbers of a vector by their names as well;
 * a row without one, or a class that the model does not know, is refused with VAECUDA_BAD_FILE.
 * `reconstruction` and `kl`, `mean` and `logvar`
 * may be NULL with a size of 0. `latents` are rows of Z values. */
VAECUDA_API int vaecuda_encode_dataset(const vaecuda_model* model, const vaecuda_dataset* data, float* mean,
                                       size_t mean_size, float* logvar, size_t logvar_size);
VAECUDA_API int vaecuda_decode_dataset(const vaecuda_model* model, const vaecuda_dataset* latents, float* x,
                                       size_t x_size);
VAECUDA_API int vaecuda_reconstruct_dataset(const vaecuda_model* model, const vaecuda_dataset* data,
                                            float* result, size_t result_size);
VAECUDA_API int vaecuda_elbo_dataset(const vaecuda_model* model, const vaecuda_dataset* data, uint64_t seed,
                                     float* reconstruction, size_t reconstruction_size, float* kl,
                                     size_t kl_size);
VAECUDA_API int vaecuda_score_dataset(const vaecuda_model* model, const vaecuda_dataset* data, uint64_t seed,
                                      float* score, size_t score_size);
VAECUDA_API int vaecuda_log_likelihood_dataset(const vaecuda_model* model, const vaecuda_dataset* data,
                                               int64_t samples, uint64_t seed, float* log_likelihood,
                                               size_t log_likelihood_size);

/* As vaecuda_elbo_dataset, in the mean over `samples` latents of each row (1 to 1000000): the same bound with
 * less noise, in as many times the time. Of one latent it is vaecuda_elbo_dataset. */
VAECUDA_API int vaecuda_elbo_samples(const vaecuda_model* model, const vaecuda_dataset* data, int64_t samples,
                                     uint64_t seed, float* reconstruction, size_t reconstruction_size,
                                     float* kl, size_t kl_size);

/* NOLINTEND(modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
