/* The C interface of libvaecuda, for programs and for other languages. Plain C99.
 *
 * Every function that can fail returns a status: VAECUDA_OK or one of the others below. A failed call changes
 * no result of its caller, and vaecuda_last_error() says what was wrong. No C++ exception leaves a function.
 *
 * Handles are made by the library and given back to it by the matching _free function, once; a second time is
 * an error of the program, as with free(). _free(NULL) does nothing. Every other function refuses a NULL
 * handle with VAECUDA_CONFIG.
 *
 * Buffers belong to the caller, who says how many elements (chars in the case of text) each can hold. One
 * that is too short is refused with VAECUDA_CONFIG before anything is computed.
 *
 * Rows are row-major floats in the units of the training data (bytes as 0 ... 255). The preparation that a
 * model was trained with is applied inside. Arrays have the model's columns in the model's order.
 *
 * Threads: different handles may be used by different threads at the same time. Of one handle, the functions
 * that take it as const may be called from several threads at once. A forked process may use what it
 * inherited, on one thread once its parent had run several; a model on a GPU gives it VAECUDA_DEVICE. */
#ifndef VAECUDA_VAECUDA_H
#define VAECUDA_VAECUDA_H

#include <stddef.h>
#include <stdint.h>

#include "vaecuda/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(modernize-use-using): this is C. */

/* Statuses. They are also the exit codes of the programs. */
enum {
  VAECUDA_OK = 0,
  VAECUDA_RUNTIME = 1,       /* the machine failed us: unwritable output, full disk */
  VAECUDA_CONFIG = 2,        /* the request makes no sense: unknown option, NULL handle, short buffer */
  VAECUDA_BAD_FILE = 3,      /* input data or a model file that cannot be used */
  VAECUDA_OUT_OF_MEMORY = 4, /* host or device memory */
  VAECUDA_DEVICE = 5,        /* no such device, or one that cannot do what was asked */
  VAECUDA_DIVERGED = 6,      /* training met a value that is not finite */
  VAECUDA_STOPPED = 75       /* the stop callback ended the training; what it had reached is saved */
};

/* --- Version and errors ------------------------------------------------------------------------------- */

/* "major.minor.patch" of the library that is running. */
VAECUDA_API const char* vaecuda_version(void);
/* One line: compiler, BLAS, CUDA support. */
VAECUDA_API const char* vaecuda_build_info(void);
/* A status in a few words; "unknown status" for any other number. */
VAECUDA_API const char* vaecuda_status_text(int status);
/* What was wrong in the last call of this thread that failed; "" where none has. Valid until the next call of
 * this thread that fails. */
VAECUDA_API const char* vaecuda_last_error(void);
/* Removes the temporary files of all that this process is writing: for a program's handler of signals that
 * end it. Async-signal-safe. A call that is writing, if the process goes on, fails with VAECUDA_RUNTIME. */
VAECUDA_API void vaecuda_remove_unfinished_files(void);

/* --- Rows of data ------------------------------------------------------------------------------------- */

typedef struct vaecuda_dataset vaecuda_dataset;
typedef struct vaecuda_config vaecuda_config; /* below */

/* Reads a data set: a file or folder of docs/formats.md, or "shapes". `labels_path` may be NULL. */
VAECUDA_API int vaecuda_dataset_load(const char* path, const char* labels_path, vaecuda_dataset** result);
/* Copies rows * columns elements. Floats must be finite. */
VAECUDA_API int vaecuda_dataset_from_floats(const float* values, int64_t rows, int64_t columns,
                                            vaecuda_dataset** result);
VAECUDA_API int vaecuda_dataset_from_bytes(const uint8_t* values, int64_t rows, int64_t columns,
                                           vaecuda_dataset** result);
/* What the elements of an array are. A text is a `const char*`, ended by a zero. */
enum {
  VAECUDA_BOOL = 0,
  VAECUDA_U8 = 1,
  VAECUDA_I8 = 2,
  VAECUDA_U16 = 3,
  VAECUDA_I16 = 4,
  VAECUDA_U32 = 5,
  VAECUDA_I32 = 6,
  VAECUDA_U64 = 7,
  VAECUDA_I64 = 8,
  VAECUDA_F32 = 9,
  VAECUDA_F64 = 10,
  VAECUDA_TEXT = 11
};

/* An array of any layout in the caller's memory, which is read during the call alone. Elements need not be
 * aligned. Fill it with VAECUDA_ARRAY_INIT first. */
typedef struct vaecuda_array {
  size_t size; /* sizeof(vaecuda_array) */
  const void* data;
  int type; /* VAECUDA_F32 ... */
  int64_t axes;
  const int64_t* shape;   /* `axes` numbers; the first axis counts rows */
  const int64_t* strides; /* bytes from neighbour to neighbour of each axis; NULL: row-major */
  int swapped;            /* other than 0: an element's bytes stand in the other order than the machine's */
  const uint8_t* mask;    /* of the same shape; other than 0: the element is missing; NULL: none is */
  const int64_t* mask_strides; /* as `strides` */
  const char* name;            /* what messages call it; of a table's column its name; NULL: none */
} vaecuda_array;

/* clang-format off */
#define VAECUDA_ARRAY_INIT {sizeof(vaecuda_array), NULL, VAECUDA_F32, 0, NULL, NULL, 0, NULL, NULL, NULL}
/* clang-format on */

/* Copies an array of two axes or more as the rows of a .npy file are read: bytes stay bytes, every other type
 * becomes float, (N, H, W) and (N, H, W, C) with up to 4 channels are pictures. An element that is missing,
 * not finite, or an integer that a 32-bit float cannot hold exactly is VAECUDA_BAD_FILE with its row and
 * column. */
VAECUDA_API int vaecuda_dataset_from_array(const vaecuda_array* array, vaecuda_dataset** result);
/* The same of a table's `count` columns, one axis each and of equal length. They are bytes if all are, else
 * floats. `label_column`: the one that holds labels, by name or by index from 0; "none"; NULL or "": a last
 * column named label, class or target is taken. Only that column may hold texts. */
VAECUDA_API int vaecuda_dataset_from_columns(const vaecuda_array* const* columns, int64_t count,
                                             const char* label_column, vaecuda_dataset** result);
/* Reads what a configuration's options data.path, data.labels, data.label_column, data.image and the like ask
 * for. */
VAECUDA_API int vaecuda_dataset_from_config(const vaecuda_config* config, vaecuda_dataset** result);
/* The same rows for a model, or for other rows, whose columns are called so: unless data.label_column names
 * one of them, none is taken for labels. Of a table that has one of them, cells of other columns are not
 * read: they may hold anything, and their values are NaN. */
VAECUDA_API int vaecuda_dataset_from_config_for(const vaecuda_config* config, const char* const* names,
                                                size_t count, vaecuda_dataset** result);
/* The picture that a row is, channels varying fastest. height * width * channels must be the columns. */
VAECUDA_API int vaecuda_dataset_set_image(vaecuda_dataset* dataset, int64_t height, int64_t width,
                                          int64_t channels);
/* Labels, one for each row: classes by whole numbers or texts, or with two axes, the second above 1, a vector
 * of numbers per row. */
VAECUDA_API int vaecuda_dataset_set_labels(vaecuda_dataset* dataset, const vaecuda_array* labels);
/* The labels that a file holds, as option data.labels. `names`: what the numbers of label vectors are called
 * by whom they are for (vaecuda_model_label_column): where the file's table has one of them, its other
 * columns are not read and may hold anything; NULL: all are read. */
VAECUDA_API int vaecuda_dataset_load_labels(vaecuda_dataset* dataset, const char* path,
                                            const char* const* names, size_t count);
/* Lines for a person: what was read, then what may be wrong with it, each of which begins with "warning: ".
 * `length` as that of vaecuda_config_get. */
VAECUDA_API int vaecuda_dataset_notes(const vaecuda_dataset* dataset, char* text, size_t size,
                                      size_t* length);

/* What a data set holds. The library may append members in later versions. Fill it with
 * VAECUDA_DATASET_INFO_INIT first. */
typedef struct vaecuda_dataset_info {
  size_t size; /* sizeof(vaecuda_dataset_info) */
  int64_t rows;
  int64_t columns;
  int type;             /* VAECUDA_U8 or VAECUDA_F32 */
  int named;            /* columns have names */
  int64_t image_height; /* 0 where rows are no pictures */
  int64_t image_width;
  int64_t image_channels;
  int64_t classes;      /* of the labels; 0 where there are none or they are vectors */
  int64_t label_vector; /* numbers of a label that is a vector; 0 where there are none */
} vaecuda_dataset_info;

/* clang-format off */
#define VAECUDA_DATASET_INFO_INIT {sizeof(vaecuda_dataset_info), 0, 0, 0, 0, 0, 0, 0, 0, 0}
/* clang-format on */

VAECUDA_API int vaecuda_dataset_describe(const vaecuda_dataset* dataset, vaecuda_dataset_info* info);
/* What the columns are called: `count` names, one for each. Where a model or other rows have names as well,
 * columns are then matched by name. */
VAECUDA_API int vaecuda_dataset_set_columns(vaecuda_dataset* dataset, const char* const* names, size_t count);
/* The same of the numbers of a label that is a vector, as the columns of the table that they come from. */
VAECUDA_API int vaecuda_dataset_set_label_columns(vaecuda_dataset* dataset, const char* const* names,
                                                  size_t count);
/* Either pointer may be NULL. */
VAECUDA_API int vaecuda_dataset_size(const vaecuda_dataset* dataset, int64_t* rows, int64_t* columns);
/* Rows `first` to `first + count - 1` as floats (count, columns). */
VAECUDA_API int vaecuda_dataset_values(const vaecuda_dataset* dataset, int64_t first, int64_t count,
                                       float* values, size_t values_size);
VAECUDA_API void vaecuda_dataset_free(vaecuda_dataset* dataset);

/* --- Configuration of a training run ------------------------------------------------------------------ */

/* All defaults. */
VAECUDA_API int vaecuda_config_create(vaecuda_config** result);
/* Sets one option, named as in a configuration file ("model.latent_dim") or as on the command line
 * ("--latent-dim"); `vae_cuda_train --help` lists them. */
VAECUDA_API int vaecuda_config_set(vaecuda_config* config, const char* option, const char* value);
/* Takes a recipe by its name over what the configuration holds; a name that is none is refused with the list.
 */
VAECUDA_API int vaecuda_config_preset(vaecuda_config* config, const char* name);
/* Reads a TOML file, or TOML text, over what the configuration holds. */
VAECUDA_API int vaecuda_config_load(vaecuda_config* config, const char* path);
VAECUDA_API int vaecuda_config_parse(vaecuda_config* config, const char* toml);
/* Replaces all that the configuration holds by what the run in a folder was trained with, to go on with it by
 * vaecuda_train_resume. */
VAECUDA_API int vaecuda_config_load_run(vaecuda_config* config, const char* run_dir);
/* The value of an option as text, "" where it is unset; and the whole configuration as TOML. `length`, which
 * may be NULL, becomes the length without the final zero, also if the text does not fit; with a `size` of 0
 * `text` may be NULL, and the call only asks for the length. */
VAECUDA_API int vaecuda_config_get(const vaecuda_config* config, const char* option, char* text, size_t size,
                                   size_t* length);
VAECUDA_API int vaecuda_config_toml(const vaecuda_config* config, char* text, size_t size, size_t* length);
VAECUDA_API void vaecuda_config_free(vaecuda_config* config);

/* --- Training ----------------------------------------------------------------------------------------- */

/* Where training stands. The library may append members in later versions. */
typedef struct vaecuda_progress {
  int64_t step;         /* steps done */
  int64_t total_steps;  /* of the run */
  int64_t epoch;        /* epochs completed */
  int64_t total_epochs; /* 0 where the run is bounded by steps alone */
  double seconds;       /* spent in training steps */
  double rows_per_second;
  double lr;
  double loss; /* means since the last call, over the epoch at its end; in nats a row */
  double reconstruction;
  double kl;
  double valid_loss; /* at an epoch's end with validation rows, else NaN */
  int epoch_end;
  int improved; /* the validation loss is the best so far */
} vaecuda_progress;

/* Callbacks of a run, each of which may be NULL. They are called from the thread that trains, and get `user`
 * back. They must return: no longjmp, no C++ exception. Fill it with VAECUDA_OBSERVER_INIT first. */
typedef struct vaecuda_observer {
  size_t size; /* sizeof(vaecuda_observer) */
  void* user;
  void (*message)(void* user, const char* line); /* one line for a person */
  void (*progress)(void* user,
                   const vaecuda_progress* progress); /* a few times a second, and at epochs' ends */
  int (*stop)(void* user); /* asked a few times a second; other than 0 ends the run after saving */
  int report; /* other than 0: report.html of a run that comes to its end; a message says why there is none */
} vaecuda_observer;

/* clang-format off */
#define VAECUDA_OBSERVER_INIT {sizeof(vaecuda_observer), NULL, NULL, NULL, NULL, 0}
/* clang-format on */

/* How a run ended. Losses are means over rows in nats; those of rows that the run did not have are NaN. Fill
 * it with VAECUDA_SUMMARY_INIT first. */
typedef struct vaecuda_summary {
  size_t size; /* sizeof(vaecuda_summary) */
  int64_t steps;
  int64_t epochs;
  int64_t best_epoch; /* the epoch of the saved model */
  int64_t parameters;
  double seconds; /* training steps alone */
  double rows_per_second;
  double train_loss; /* mean over the last epoch's steps */
  double valid_loss; /* of the saved model */
  double test_loss;  /* of the saved model */
  int stopped_early; /* by train.patience */
} vaecuda_summary;

/* clang-format off */
#define VAECUDA_SUMMARY_INIT {sizeof(vaecuda_summary), 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0}
/* clang-format on */

/* Trains. The run's folder, option output.dir, gets config.toml, metrics.jsonl, model.safetensors and more.
 *
 * `train` NULL: the rows come from where data.path says, and `valid` and `test` must be NULL too. Otherwise
 * the rows are those of the data sets, which the run copies; data.path must be unset, and held-out rows are
 * `valid` and `test`, or shares of `train` by data.valid_fraction and data.test_fraction.
 * Of the options that say how files are read, data.labels and data.image are applied to `train` (data.image
 * to all three), and the others are refused.
 *
 * `observer` and `summary` may be NULL. `summary` is filled with VAECUDA_OK and with VAECUDA_STOPPED. */
VAECUDA_API int vaecuda_train(const vaecuda_config* config, const vaecuda_dataset* train,
                              const vaecuda_dataset* valid, const vaecuda_dataset* test,
                              const vaecuda_observer* observer, vaecuda_summary* summary);
/* Goes on with the run in the folder output.dir from its last checkpoint: of one that was stopped or killed,
 * or that is to become longer. Begin with vaecuda_config_load_run. Of its options those may be changed that
 * do not change the result of the steps to come (docs/reliability.md), and the length of the run where no
 * schedule depends on it. A run of rows in memory gets the same rows again, others get NULL.
 *
 * The folder becomes what one uninterrupted run would have made it, byte for byte, times excepted; a finished
 * run stays as it is. A folder without a checkpoint is trained from the first step; one with
 * models whose state is gone is refused with VAECUDA_BAD_FILE. */
VAECUDA_API int vaecuda_train_resume(const vaecuda_config* config, const vaecuda_dataset* train,
                                     const vaecuda_dataset* valid, const vaecuda_dataset* test,
                                     const vaecuda_observer* observer, vaecuda_summary* summary);

/* --- Trained models ----------------------------------------------------------------------------------- */

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
