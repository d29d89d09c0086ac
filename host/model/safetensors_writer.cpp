#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "host/io/atomic_file.hpp"
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
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t begin = 0;
  for (const SafetensorsTensor& tensor : sorted) {
    const std::size_t end = begin + tensor.values.size_bytes();
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  // A std::map orders the keys of nlohmann's objects, by their bytes.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                       std::vector<SafetensorsTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  check(tensors);
  const std::string header = make_header(metadata, tensors);
  if (header.size() > static_cast<std::size_t>(kSafetensorsHeaderBytes)) {
    throw RuntimeError(
        fmt::format("cannot write '{}': its header would have {} bytes and safetensors allows {}; shorten "
                    "the names of the columns",
                    path.string(), header.size(), kSafetensorsHeaderBytes));
  }
  AtomicFile file(path);
  const auto length = std::bit_cast<std::array<std::byte, 8>>(static_cast<std::uint64_t>(header.size()));
  file.write(length);
  file.write(header);
  for (const SafetensorsTensor& tensor : tensors) file.write(std::as_bytes(tensor.values));
  file.commit();
}

}  // namespace vaecuda
