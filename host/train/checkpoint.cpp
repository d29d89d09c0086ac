#include "host/train/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>

#include "host/config/utf8.hpp"
#include "host/model/safetensors.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::string_view kFormat = "vaecuda-state";
constexpr std::string_view kVersion = "1";
constexpr const char* kParameters = "parameters";
constexpr const char* kMoment1 = "adam.moment1";
constexpr const char* kMoment2 = "adam.moment2";
constexpr const char* kBest = "best.parameters";

std::size_t first_nonfinite(std::span<const float> values) {
  const auto found =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  return static_cast<std::size_t>(found - values.begin());
}

void require_metadata(SafetensorsReader& reader, std::string_view key, std::string_view expected) {
  const auto text = reader.metadata(key);
  const std::string_view found = text ? std::string_view(text->data(), text->size()) : "";
  if (found == expected) return;
  throw FileError(
      fmt::format("{}: metadata key '{}' is {}; expected '{}': this is no training state that this version "
                  "of vaecuda can continue",
                  reader.name(), key, text ? config::quoted(found) : "missing", expected));
}

/// Reads a one-dimensional tensor; `size` 0 takes any length and sets it.
void read_arena(const SafetensorsReader& reader, const char* name, std::size_t& size,
                std::vector<float>& values) {
  const SafetensorsEntry* const entry = reader.find(name);
  if (entry == nullptr) throw FileError(fmt::format("{}: tensor '{}' is missing", reader.name(), name));
  const bool flat = entry->shape.size() == 1 && entry->dtype == "F32" && entry->shape[0] > 0;
  if (!flat || (size > 0 && static_cast<std::size_t>(entry->shape[0]) != size)) {
    throw FileError(fmt::format("{}: tensor '{}' is {} of shape [{}]; expected F32 of shape [{}]",
                                reader.name(), name, entry->dtype, fmt::join(entry->shape, ", "),
                                size > 0 ? std::to_string(size) : "P"));
  }
  size = static_cast<std::size_t>(entry->shape[0]);
  values.resize(size);
  reader.read_f32(*entry, values);
  const std::size_t bad = first_nonfinite(values);
  if (bad < size) {
    throw FileError(fmt::format("{}: tensor '{}' holds {} at element {}; expected finite values",
                                reader.name(), name, values[bad], bad));
  }
}

}  // namespace

void save_checkpoint(const Place& place, const Checkpoint& checkpoint) {
  std::vector<SafetensorsTensor> tensors;
  const auto add = [&](const char* name, const std::vector<float>& values) {
    const std::size_t bad = first_nonfinite(values);
    if (bad < values.size()) {
      throw RuntimeError(
          fmt::format("cannot write '{}': {} holds {} at element {}, which no run could continue with",
                      place.path().string(), name, values[bad], bad));
    }
    tensors.push_back({name, {static_cast<std::int64_t>(values.size())}, values});
  };
  add(kParameters, checkpoint.parameters);
  add(kMoment1, checkpoint.moment1);
  add(kMoment2, checkpoint.moment2);
  if (checkpoint.state.best) add(kBest, checkpoint.state.best->parameters);
  write_safetensors(place,
                    {{"format", std::string(kFormat)},
                     {"version", std::string(kVersion)},
                     {"state", write_checkpoint_document(checkpoint)}},
                    std::move(tensors));
}

Checkpoint load_checkpoint(std::unique_ptr<SeekableBytes> source) {
  const std::string name = source->name();
  try {
    SafetensorsReader reader(std::move(source));
    require_metadata(reader, "format", kFormat);
    require_metadata(reader, "version", kVersion);
    const auto text = reader.metadata("state");
    if (!text) throw FileError(name + ": metadata key 'state' is missing");
    if (reader.metadata_keys().size() != 3)
      throw FileError(name + ": unknown keys beside format, state, version");
    Checkpoint checkpoint = read_checkpoint_document(*text, name + ": state");
    std::size_t size = 0;
    read_arena(reader, kParameters, size, checkpoint.parameters);
    read_arena(reader, kMoment1, size, checkpoint.moment1);
    read_arena(reader, kMoment2, size, checkpoint.moment2);
    const bool has_best = checkpoint.state.best.has_value();
    if (has_best) read_arena(reader, kBest, size, checkpoint.state.best->parameters);
    if (reader.entries().size() != (has_best ? 4U : 3U)) {
      throw FileError(fmt::format("{}: {} tensors; expected parameters, adam.moment1, adam.moment2{}", name,
                                  reader.entries().size(), has_best ? ", best.parameters" : ""));
    }
    return checkpoint;
  } catch (const std::bad_alloc&) {
    throw OutOfMemoryError(name + ": this state does not fit in memory");
  }
}

}  // namespace vaecuda
