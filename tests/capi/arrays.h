/* Arrays for the library, and what came of them. */
#ifndef VAECUDA_TESTS_CAPI_ARRAYS_H
#define VAECUDA_TESTS_CAPI_ARRAYS_H

#include "check.h"

static inline vaecuda_array array_of(const void* data, int type, int64_t axes, const int64_t* shape) {
  vaecuda_array array = VAECUDA_ARRAY_INIT;
  array.data = data;
  array.type = type;
  array.axes = axes;
  array.shape = shape;
  return array;
}

static inline vaecuda_dataset_info info_of(const vaecuda_dataset* data) {
  vaecuda_dataset_info info = VAECUDA_DATASET_INFO_INIT;
  OK(vaecuda_dataset_describe(data, &info));
  return info;
}

#endif
