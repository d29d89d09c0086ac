/* Statuses, errors and the version. The rules for all of the C interface are in vaecuda/vaecuda.h. */
#ifndef VAECUDA_C_STATUS_H
#define VAECUDA_C_STATUS_H

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

/* NOLINTEND(modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
