// A small model with every feature, as bytes and in parts that a test can damage one by one.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "tests/support/files.hpp"
#include "tests/support/safetensors_parts.hpp"
#include "tests/support/temp_dir.hpp"

namespace vaecuda::test {

/// Small, and with every feature: 4 columns, a picture, names, standardization, numbers that are hard to
/// print.
inline ModelFile full_featured_model() {
  ModelFile file;
  file.model.input_dim = 4;
  file.model.hidden = {3, 2};
  file.model.latent_dim = 2;
  file.model.activation = Activation::gelu_tanh;
  file.model.init = Initialization::glorot;
  file.model.likelihood = Likelihood::gaussian;
  file.model.sigma = 0.1 + 0.2;
  file.model.output_bias = OutputBias::data_mean;
  file.preparation.scale = 1.0F / 255.0F;
  file.preparation.binarize = Binarize::stochastic;
  file.preparation.mean = {0.1F, -2.0F, 1e-40F, 3e38F};
  file.preparation.inverse_deviation = {1.0F, 0.5F, 1e-40F, 3e38F};
  file.image = ImageShape{2, 2, 1};
  file.column_names = {"a", "b \"quoted\"\n", "caf\xc3\xa9", ""};
  file.model.logvar_head = LogvarHead::logsigma;
  file.objective.beta = 1.0 / 3.0;
  file.objective.latent_l2 = 1.0 / 7.0;
  file.objective.samples = 100'000;
  file.objective.kind = ObjectiveKind::iwae;
  file.objective.beta_schedule = {BetaScheduleKind::cyclical, 77, 0.1};
  file.objective.capacity = 0.1;
  file.objective.capacity_steps = 100'000'000'000;
  file.objective.free_bits = 1.0 / 9.0;
  file.objective.reduce = Reduction::sum;
  file.seed = std::numeric_limits<std::uint64_t>::max();
  file.steps = 100'000'000'000;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.resize(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, file.model, 7, file.parameters.data());
  file.parameters[0] = -0.0F;
  file.parameters[1] = std::numeric_limits<float>::denorm_min();
  return file;
}

inline std::string saved_bytes(const ModelFile& file) {
  const TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  save_model(path, file);
  return read_file(path);
}

inline ModelFile parse_model(const std::string& bytes) {
  return load_model(bytes_in_memory("m.safetensors", std::as_bytes(std::span(bytes))));
}

struct ModelFileParts : SafetensorsParts {
  explicit ModelFileParts(const std::string& bytes) : SafetensorsParts(bytes, "config") {}
};

}  // namespace vaecuda::test
