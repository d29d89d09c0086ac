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
 * model was trained with is applied inside.
 *
 * Threads: different handles may be used by different threads at the same time. Of one handle, the functions
 * that take it as const may be called from several threads at once. */
#ifndef VAECUDA_VAECUDA_H
#define VAECUDA_VAECUDA_H

#include <stddef.h>
#include <stdint.h>

#include "vaecuda/export.h"

#ifdef __cplusplus
extern "C" {
#endif

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

/* --- Rows of data ------------------------------------------------------------------------------------- */

typedef struct vaecuda_dataset vaecuda_dataset;

/* Reads a data set: a file or folder of docs/formats.md, or "shapes". `labels_path` may be NULL. */
VAECUDA_API int vaecuda_dataset_load(const char* path, const char* labels_path, vaecuda_dataset** result);
/* Copies rows * columns elements. Floats must be finite. */
VAECUDA_API int vaecuda_dataset_from_floats(const float* values, int64_t rows, int64_t columns,
                                            vaecuda_dataset** result);
VAECUDA_API int vaecuda_dataset_from_bytes(const uint8_t* values, int64_t rows, int64_t columns,
                                           vaecuda_dataset** result);
/* The picture that a row is, channels varying fastest. height * width * channels must be the columns. */
VAECUDA_API int vaecuda_dataset_set_image(vaecuda_dataset* dataset, int64_t height, int64_t width,
                                          int64_t channels);
/* Either pointer may be NULL. */
VAECUDA_API int vaecuda_dataset_size(const vaecuda_dataset* dataset, int64_t* rows, int64_t* columns);
/* Rows `first` to `first + count - 1` as floats (count, columns). */
VAECUDA_API int vaecuda_dataset_values(const vaecuda_dataset* dataset, int64_t first, int64_t count,
                                       float* values, size_t values_size);
VAECUDA_API void vaecuda_dataset_free(vaecuda_dataset* dataset);

/* --- Configuration of a training run ------------------------------------------------------------------ */

typedef struct vaecuda_config vaecuda_config;

/* All defaults. */
VAECUDA_API int vaecuda_config_create(vaecuda_config** result);
/* Sets one option, named as in a configuration file ("model.latent_dim") or as on the command line
 * ("--latent-dim"); `vae_cuda_train --help` lists them. */
VAECUDA_API int vaecuda_config_set(vaecuda_config* config, const char* option, const char* value);
/* Reads a TOML file, or TOML text, over what the configuration holds. */
VAECUDA_API int vaecuda_config_load(vaecuda_config* config, const char* path);
VAECUDA_API int vaecuda_config_parse(vaecuda_config* config, const char* toml);
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
} vaecuda_observer;

/* clang-format off */
#define VAECUDA_OBSERVER_INIT {sizeof(vaecuda_observer), NULL, NULL, NULL, NULL}
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
 *
 * `observer` and `summary` may be NULL. `summary` is filled with VAECUDA_OK and with VAECUDA_STOPPED. */
VAECUDA_API int vaecuda_train(const vaecuda_config* config, const vaecuda_dataset* train,
                              const vaecuda_dataset* valid, const vaecuda_dataset* test,
                              const vaecuda_observer* observer, vaecuda_summary* summary);

#ifdef __cplusplus
}
#endif

#endif
