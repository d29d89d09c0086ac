#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "host/io/atomic_file.hpp"
#include "host/model/json_writer.hpp"
#include "host/model/safetensors.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written without swapping bytes");

// The length field has 8 bytes itself, so that the data begin on a multiple of 8 as well.
constexpr std::size_t kAlignment = 8;

std::size_t element_count(const SafetensorsTensor& tensor) {
  std::size_t count = 1;
  for (const std::int64_t size : tensor.shape) count *= static_cast<std::size_t>(size);
  return count;
}

void check(const std::vector<SafetensorsTensor>& sorted) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i - 1].name == sorted[i].name) {
      throw std::logic_error("two tensors are called " + sorted[i].name);
    }
    if (element_count(sorted[i]) != sorted[i].values.size()) {
      throw std::logic_error("the shape of tensor " + sorted[i].name + " does not fit its values");
    }
  }
}

std::string make_header(const std::map<std::string, std::string>& metadata,
                        const std::vector<SafetensorsTensor>& sorted) {
  JsonWriter json;
  json.open_object();
  std::size_t begin = 0;
  // The keys in the order of their bytes, whatever the tensors are called.
  constexpr std::string_view kMetadata = "__metadata__";
  bool described = metadata.empty();
  const auto describe = [&] {
    json.key(kMetadata);
    json.open_object();
    for (const auto& [key, value] : metadata) json.member(key, value);
    json.close_object();
    described = true;
  };
  for (const SafetensorsTensor& tensor : sorted) {
    if (!described && tensor.name > kMetadata) describe();
    const std::size_t end = begin + tensor.values.size_bytes();
    json.key(tensor.name);
    json.open_object();
    json.array("data_offsets", std::array{begin, end});
    json.member("dtype", "F32");
    json.array("shape", tensor.shape);
    json.close_object();
    begin = end;
  }
  if (!described) describe();
  json.close_object();
  std::string text = json.take();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const Place& place, const std::map<std::string, std::string>& metadata,
                       std::vector<SafetensorsTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  check(tensors);
  const std::string header = make_header(metadata, tensors);
  if (header.size() > static_cast<std::size_t>(kSafetensorsHeaderBytes)) {
    throw RuntimeError(
        fmt::format("cannot write '{}': its header would have {} bytes and safetensors allows {}; shorten "
                    "the names of the columns",
                    place.path().string(), header.size(), kSafetensorsHeaderBytes));
  }
  AtomicFile file(place);
  const auto length = std::bit_cast<std::array<std::byte, 8>>(static_cast<std::uint64_t>(header.size()));
  file.write(length);
  file.write(header);
  for (const SafetensorsTensor& tensor : tensors) file.write(std::as_bytes(tensor.values));
  file.commit();
}

}  // namespace vaecuda
