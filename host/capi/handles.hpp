// The objects behind the handles of the C API.
#pragma once

#include <functional>
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
  std::set<std::string, std::less<>> given;  ///< keys set by vaecuda_config_set
};

struct vaecuda_model {
  vaecuda_model(vaecuda::Vae loaded, std::function<void(const std::string&)> told);
  vaecuda::Vae vae;
  std::function<void(const std::string&)> message;  ///< of vaecuda_run_on; may be empty
  // Texts of vaecuda_model_describe, which live as long as the model.
  std::string likelihood;
  std::string activation;
  std::string latent;
  std::string device;
};
