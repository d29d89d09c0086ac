/* Training. The rules for all of the C interface are in vaecuda/vaecuda.h. */
#ifndef VAECUDA_C_TRAIN_H
#define VAECUDA_C_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "vaecuda/c/config.h"
#include "vaecuda/c/dataset.h"
#include "vaecuda/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(modernize-use-using): this is C. */

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

/* NOLINTEND(modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
