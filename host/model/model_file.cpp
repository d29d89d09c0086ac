#include "host/model/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "host/config/utf8.hpp"
#include "host/io/npz.hpp"
#include "host/model/model_document.hpp"
#include "host/model/safetensors.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::string_view kFormat = "vaecuda-model";
constexpr std::string_view kVersion = "1";
constexpr const char* kMean = "data.mean";
constexpr const char* kInverseDeviation = "data.inverse_deviation";

/// One tensor of a model: its name and shape in the file, and its place in memory.
template <class Float>
struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<Float> values;
};

/// File is ModelFile or const ModelFile; its vectors have their final sizes. Without parameters the layers'
/// values are empty.
template <class File>
auto list_tensors(const ParameterLayout& layout, File& file) {
  using Float = std::remove_reference_t<decltype(file.parameters[0])>;
  std::vector<Tensor<Float>> tensors;
  const std::span<Float> arena(file.parameters);
  const auto part = [&](std::int64_t offset, std::int64_t count) {
    if (arena.empty()) return arena;
    return arena.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
  };
  for (const ParameterTensor& tensor : layout.tensors()) {
    tensors.push_back({tensor.name, tensor.shape, part(tensor.offset, tensor.count)});
  }
  if (!file.preparation.mean.empty()) {
    tensors.push_back({kMean, {file.model.input_dim}, file.preparation.mean});
    tensors.push_back({kInverseDeviation, {file.model.input_dim}, file.preparation.inverse_deviation});
  }
  return tensors;
}

std::string describe(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Names and shapes as the file must have them, before anything is allocated for them.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> expected_tensors(
    const ParameterLayout& layout, const ModelDocument& document) {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> expected;
  for (const ParameterTensor& tensor : layout.tensors()) expected.emplace_back(tensor.name, tensor.shape);
  if (document.standardize) {
    expected.push_back({kMean, {document.file.model.input_dim}});
    expected.push_back({kInverseDeviation, {document.file.model.input_dim}});
  }
  return expected;
}

/// Why the values cannot be a model's, empty if they can.
template <class Float>
std::string find_fault(const Tensor<Float>& tensor) {
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    const float value = tensor.values[i];
    if (!std::isfinite(value)) {
      return fmt::format("tensor '{}' holds {} at element {}; expected finite values", tensor.name, value, i);
    }
    if (tensor.name == kInverseDeviation && !(value > 0.0F)) {
      return fmt::format("tensor '{}' holds {} at element {}; expected positive values", tensor.name, value,
                         i);
    }
  }
  return "";
}

void check_format(SafetensorsReader& reader) {
  const auto text_of = [&](std::string_view key) {
    const auto text = reader.metadata(key);
    return text ? std::optional(std::string_view(text->data(), text->size())) : std::nullopt;
  };
  const auto format = text_of("format");
  if (format != kFormat) {
    throw FileError(fmt::format(
        "{}: metadata key 'format' is {}; expected '{}': a safetensors file, but no model of vaecuda",
        reader.name(), format ? config::quoted(*format) : "missing", kFormat));
  }
  const auto version = text_of("version");
  if (version != kVersion) {
    const bool number =
        version && !version->empty() && version->size() < 10 && version->front() != '0' &&
        std::all_of(version->begin(), version->end(), [](char c) { return c >= '0' && c <= '9'; });
    throw FileError(
        fmt::format("{}: metadata key 'version' is {}; expected '{}'{}", reader.name(),
                    version ? config::quoted(*version) : "missing", kVersion,
                    number ? ": a newer vaecuda wrote this model, so use that version or a later one" : ""));
  }
  for (const std::string_view key : reader.metadata_keys()) {
    if (key != "format" && key != "version" && key != "config") {
      throw FileError(fmt::format("{}: unknown metadata key {}; expected config, format, version",
                                  reader.name(), config::quoted(key)));
    }
  }
}

ParameterLayout make_layout_of(const ModelFile& file, const std::string& place) {
  const std::string fault = find_fault(file);
  if (!fault.empty()) throw FileError(fmt::format("{}: {}", place, fault));
  try {
    return make_layout(file.model);
  } catch (const ConfigError& error) {
    throw FileError(fmt::format("{}: {}", place, error.what()));
  }
}

/// Whether the file holds exactly the tensors that the configuration asks for.
void check_tensors(const SafetensorsReader& reader, const ParameterLayout& layout,
                   const ModelDocument& document) {
  const auto expected = expected_tensors(layout, document);
  for (const auto& [name, shape] : expected) {
    const SafetensorsEntry* const entry = reader.find(name);
    if (entry == nullptr) {
      throw FileError(
          fmt::format("{}: tensor '{}' of shape {} is missing", reader.name(), name, describe(shape)));
    }
    if (entry->shape != shape) {
      throw FileError(fmt::format("{}: tensor '{}' has the shape {}; expected {} by the configuration",
                                  reader.name(), name, describe(entry->shape), describe(shape)));
    }
    if (entry->dtype != "F32") {
      throw FileError(fmt::format("{}: tensor '{}' is {}; expected F32, so convert it to float32",
                                  reader.name(), name, entry->dtype));
    }
  }
  for (const SafetensorsEntry& entry : reader.entries()) {
    const auto is_it = [&](const auto& pair) { return pair.first == entry.name; };
    if (std::none_of(expected.begin(), expected.end(), is_it)) {
      throw FileError(fmt::format("{}: unknown tensor {}; the configuration asks for none of this name",
                                  reader.name(), config::quoted(entry.name)));
    }
  }
}

void read_tensors(const SafetensorsReader& reader, const ParameterLayout& layout, bool standardize,
                  bool with_parameters, ModelFile& file) {
  if (with_parameters) file.parameters.assign(static_cast<std::size_t>(layout.size), 0.0F);
  if (standardize) {
    file.preparation.mean.resize(static_cast<std::size_t>(file.model.input_dim));
    file.preparation.inverse_deviation.resize(static_cast<std::size_t>(file.model.input_dim));
  }
  for (const auto& tensor : list_tensors(layout, file)) {
    if (tensor.values.empty()) continue;
    const SafetensorsEntry& entry = *reader.find(tensor.name);
    reader.read_f32(entry, tensor.values);
    const std::string fault = find_fault(tensor);
    if (!fault.empty()) {
      throw FileError(fmt::format("{}: {} (the tensor begins at byte {})", reader.name(), fault,
                                  reader.file_offset(entry.begin)));
    }
  }
}

[[noreturn]] void refuse_to_save(const std::string& path, const std::string& why) {
  throw RuntimeError(fmt::format("cannot write '{}': this model could not be loaded again: {}", path, why));
}

}  // namespace

std::vector<ModelTensor> tensors_of(const ModelFile& file) {
  std::vector<ModelTensor> tensors;
  for (auto& tensor : list_tensors(make_layout(file.model), file)) {
    tensors.push_back({std::move(tensor.name), std::move(tensor.shape), tensor.values});
  }
  return tensors;
}

void save_model(const Place& place, const ModelFile& file) {
  const auto require = [&](bool sound, const char* why) {
    if (!sound) refuse_to_save(place.path().string(), why);
  };
  const std::string fault = find_fault(file);
  require(fault.empty(), fault.c_str());
  const ParameterLayout layout = make_layout(file.model);
  const auto columns = static_cast<std::size_t>(file.model.input_dim);
  const std::size_t standardized = file.preparation.mean.size();
  require(file.parameters.size() == static_cast<std::size_t>(layout.size),
          "the parameters are not as many as its layout has");
  require(standardized == 0 || standardized == columns, "data.mean has not one value per column");
  require(file.preparation.inverse_deviation.size() == standardized,
          "data.inverse_deviation has not as many values as data.mean");
  require(file.column_names.empty() || file.column_names.size() == columns,
          "column_names has not one name per column");
  const auto conditions = static_cast<std::size_t>(file.model.condition_dim);
  require(file.condition_names.empty() || file.condition_names.size() == conditions,
          "condition_names has not one name per class");
  require(file.label_vector_names.empty() ||
              (file.label_vector_names.size() == conditions && file.condition_names.empty()),
          "label_vector_names has not one name per number of a label vector");
  for (const auto* names : {&file.column_names, &file.condition_names, &file.label_vector_names}) {
    const bool is_text = std::none_of(names->begin(), names->end(), [](const std::string& name) {
      return name.find('\0') != std::string::npos;
    });
    require(is_text, "a name holds the character of code 0");
  }
  std::vector<SafetensorsTensor> tensors;
  for (auto& tensor : list_tensors(layout, file)) {
    const std::string value_fault = find_fault(tensor);
    require(value_fault.empty(), value_fault.c_str());
    tensors.push_back({std::move(tensor.name), std::move(tensor.shape), tensor.values});
  }
  write_safetensors(place,
                    {{"format", std::string(kFormat)},
                     {"version", std::string(kVersion)},
                     {"config", write_model_document(file)}},
                    std::move(tensors));
}

void save_model_npz(const std::string& path, const ModelFile& file) {
  NpzWriter archive(path);
  for (const ModelTensor& tensor : tensors_of(file)) {
    archive.add_array(tensor.name, tensor.shape, tensor.values);
  }
  archive.add_text("config.json", write_model_document(file));
  archive.commit();
}

namespace {

ModelFile read_model(std::unique_ptr<SeekableBytes> source, bool with_parameters) {
  const std::string name = source->name();
  try {
    SafetensorsReader reader(std::move(source));
    check_format(reader);
    const auto text = reader.metadata("config");
    if (!text) throw FileError(name + ": metadata key 'config' is missing");
    const std::string place = name + ": config";
    ModelDocument document = read_model_document(*text, place);
    ModelFile& file = document.file;
    const ParameterLayout layout = make_layout_of(file, place);
    check_tensors(reader, layout, document);
    file.column_names = read_names(document.column_names, "column_names", file.model.input_dim, place);
    file.condition_names =
        read_names(document.condition_names, "condition_names", file.model.condition_dim, place);
    file.label_vector_names =
        read_names(document.label_vector_names, "label_vector_names", file.model.condition_dim, place);
    if (!file.condition_names.empty() && !file.label_vector_names.empty()) {
      throw FileError(place + ": condition_names and label_vector_names; expected one of them at most");
    }
    read_tensors(reader, layout, document.standardize, with_parameters, file);
    return std::move(document.file);
  } catch (const std::bad_alloc&) {
    throw OutOfMemoryError(name + ": this model does not fit in memory");
  }
}

}  // namespace

ModelFile load_model(std::unique_ptr<SeekableBytes> source) {
  return read_model(std::move(source), true);
}

ModelFile load_model_head(const std::string& path) {
  return read_model(open_bytes(path), false);
}

ModelFile load_model(const std::string& path) {
  return load_model(open_bytes(path));
}

}  // namespace vaecuda
