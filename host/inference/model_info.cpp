#include "host/inference/model_info.hpp"

#include "host/config/enumerators.hpp"

namespace vaecuda {

ModelInfo info_of(const ModelFile& file) {
  ModelInfo info;
  info.model = file.model;
  info.image = file.image;
  info.column_names = file.column_names;
  info.condition_names = file.condition_names;
  info.label_vector_names = file.label_vector_names;
  info.scale = file.preparation.scale;
  info.trained_on = file.trained_on;
  info.mean = file.preparation.mean;
  info.inverse_deviation = file.preparation.inverse_deviation;
  info.binarize = config::same_as<BinarizeMode>(file.preparation.binarize);
  info.objective = file.objective;
  info.seed = file.seed;
  info.steps = file.steps;
  info.parameters = make_layout(file.model).parameters;
  for (const ModelTensor& tensor : tensors_of(file)) info.tensors.push_back({tensor.name, tensor.shape});
  return info;
}

ModelInfo read_model_info(const std::string& path) {
  return info_of(load_model_head(path));
}

}  // namespace vaecuda
