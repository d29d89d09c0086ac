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

#include "vaecuda/c/config.h"
#include "vaecuda/c/dataset.h"
#include "vaecuda/c/evaluate.h"
#include "vaecuda/c/model.h"
#include "vaecuda/c/status.h"
#include "vaecuda/c/train.h"

#endif
