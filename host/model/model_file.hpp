// A trained model on disk: safetensors with the configuration in its metadata.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/data/preparation.hpp"
#include "host/io/seekable_bytes.hpp"
#include "host/model/layout.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// What a model file holds: enough to use the model without anything else. No time, path, host or device, so
/// that the same training gives the same bytes.
struct ModelFile {
  ModelConfig model;  ///< input_dim is set
  Preparation preparation;
  std::optional<ValueSizes> trained_on;  ///< sizes of the raw training values; absent where all are 0
  std::optional<ImageShape> image;
  std::vector<std::string> column_names;        ///< of a table; empty where there are none
  std::vector<std::string> condition_names;     ///< classes of a conditional model; empty for label vectors
  std::vector<std::string> label_vector_names;  ///< of a label vector's numbers; empty where there are none
  ObjectiveConfig objective;
  std::uint64_t seed = 0;
  std::int64_t steps = 0;         ///< training steps that led to these parameters
  std::vector<float> parameters;  ///< the arena of make_layout(model), gaps included
};

/// One tensor of a model: its name and shape in the file, and its place in memory.
struct ModelTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};
/// All of them: the layers' in the order of the forward pass, then the standardization's.
[[nodiscard]] std::vector<ModelTensor> tensors_of(const ModelFile& file);

/// Writes atomically. Tensors by their layout names ("encoder.0.weight", shape (out,in), F32), the
/// standardization as "data.mean" and "data.inverse_deviation" where there is one; keys sorted. Whatever is
/// written can be loaded; bytes of column names that are no UTF-8 become U+FFFD. docs/formats.md has
/// the bytes. \throws RuntimeError if the file cannot be written, or if load_model would refuse it (a value
/// that is not finite, say): nothing is written then
void save_model(const Place& place, const ModelFile& file);

/// Writes the tensors as an .npz archive, with the configuration as its member config.json, atomically.
/// \throws RuntimeError if the file cannot be written
void save_model_npz(const std::string& path, const ModelFile& file);

/// Reads and checks everything: the header's size, every tensor's type, shape and place, finite values.
/// \throws FileError naming file, key and what was expected; OutOfMemoryError
[[nodiscard]] ModelFile load_model(const std::string& path);
/// The same without the layers' tensors, whose names, types and shapes are checked: `parameters` is empty.
[[nodiscard]] ModelFile load_model_head(const std::string& path);
/// The same as load_model of any bytes.
[[nodiscard]] ModelFile load_model(std::unique_ptr<SeekableBytes> source);

}  // namespace vaecuda
