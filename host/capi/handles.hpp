// What lies behind the C API's handles.
#pragma once

#include <set>
#include <string>

#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/vae.hpp"

struct vaecuda_dataset {
  vaecuda::Dataset data;
};

struct vaecuda_config {
  vaecuda::RunConfig run;
  std::set<std::string, std::less<>> given;  ///< keys that vaecuda_config_set was called with
};

struct vaecuda_model {
  explicit vaecuda_model(vaecuda::Vae loaded);
  vaecuda::Vae vae;
  // Texts of vaecuda_model_describe, which live as long as the model.
  std::string likelihood;
  std::string activation;
  std::string latent;
  std::string device;
};
