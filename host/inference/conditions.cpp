#include "host/inference/conditions.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "host/config/split.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/number.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

std::string unknown_class(std::string_view label, const std::vector<std::string>& classes) {
  return fmt::format(
      "the label {}, which did not occur in the training of this conditional model; its classes are {}",
      label, fmt::join(classes, ", "));
}

std::string no_vector(std::string_view label, std::int64_t size) {
  return fmt::format(
      "the label '{0}': this model is conditioned on vectors of {1} numbers; expected {1} numbers, separated "
      "by commas",
      label, size);
}

std::vector<float> one_hot(const RowSource& source, std::int64_t rows,
                           const std::vector<std::string>& classes) {
  const std::span<const std::int32_t> labels = source.labels();
  if (static_cast<std::int64_t>(labels.size()) != rows) {
    throw FileError(fmt::format(
        "{}: this model is conditional, so every row needs a label, one of {}: give --label-column "
        "where a column holds them, or --labels, or labels with rows in memory",
        source.name(), fmt::join(classes, ", ")));
  }
  std::vector<float> all(labels.size() * classes.size(), 0.0f);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const std::string& label = source.label_names()[static_cast<std::size_t>(labels[row])];
    const std::optional<std::int32_t> known = data::find_class(classes, label);
    if (!known) {
      throw FileError(fmt::format("{}: {}", source.name(), unknown_class(label, classes)));
    }
    all[row * classes.size() + static_cast<std::size_t>(*known)] = 1.0f;
  }
  return all;
}

/// "0.5,0,1" as a vector of `size` numbers; none where it is not one.
std::optional<std::vector<float>> vector_of(std::string_view text, std::int64_t size) {
  std::vector<float> numbers;
  for (const std::string_view piece : config::split(text, ',')) {
    float value = 0.0f;
    if (data::parse_f32(piece, value) != data::NumberStatus::ok) return std::nullopt;
    numbers.push_back(value);
  }
  if (static_cast<std::int64_t>(numbers.size()) != size) return std::nullopt;
  return numbers;
}

std::vector<float> vectors(const RowSource& source, std::int64_t rows, std::int64_t size) {
  const std::span<const float> told = source.label_vectors();
  if (static_cast<std::int64_t>(told.size()) == rows * size) return {told.begin(), told.end()};
  const std::span<const std::int32_t> labels = source.labels();
  if (!told.empty() || static_cast<std::int64_t>(labels.size()) != rows) {
    const std::string found =
        told.empty() ? std::string("it has none")
                     : fmt::format("its vectors have {}", static_cast<std::int64_t>(told.size()) / rows);
    throw FileError(
        fmt::format("{}: this model is conditioned on a vector of {} numbers per row, and {}; give a file of "
                    "such vectors as --labels",
                    source.name(), size, found));
  }
  std::vector<std::vector<float>> known;
  for (const std::string& name : source.label_names()) {
    std::optional<std::vector<float>> vector = vector_of(name, size);
    if (!vector) throw FileError(fmt::format("{}: {}", source.name(), no_vector(name, size)));
    known.push_back(std::move(*vector));
  }
  std::vector<float> all;
  for (const std::int32_t label : labels) {
    const std::vector<float>& of_row = known[static_cast<std::size_t>(label)];
    all.insert(all.end(), of_row.begin(), of_row.end());
  }
  return all;
}

}  // namespace

std::vector<float> conditions_of(const RowSource& source, std::int64_t rows, const ModelFile& model) {
  if (model.condition_names.empty()) return vectors(source, rows, model.model.condition_dim);
  return one_hot(source, rows, model.condition_names);
}

void require_label(const ModelInfo& model, const std::string& label) {
  const std::vector<std::string>& classes = model.condition_names;
  const std::int64_t size = model.model.condition_dim;
  if (label.empty()) {
    const std::string told =
        classes.empty() ? fmt::format("it is conditioned on vectors of {} numbers, separated by commas", size)
                        : fmt::format("its classes are {}", fmt::join(classes, ", "));
    throw ConfigError("this model is conditional, so sampling needs a label; " + told);
  }
  if (classes.empty() && !vector_of(label, size)) throw ConfigError(no_vector(label, size));
  if (!classes.empty() && !data::find_class(classes, label)) throw ConfigError(unknown_class(label, classes));
}

}  // namespace vaecuda
