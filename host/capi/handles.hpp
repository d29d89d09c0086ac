// What lies behind the C API's handles.
#pragma once

#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"

struct vaecuda_dataset {
  vaecuda::Dataset data;
};

struct vaecuda_config {
  vaecuda::RunConfig run;
};
