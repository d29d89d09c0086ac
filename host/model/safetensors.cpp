#include "host/model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "host/config/utf8.hpp"
#include "host/model/json_scanner.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are read without swapping bytes");

constexpr std::int64_t kLengthBytes = 8;
constexpr std::string_view kMetadataKey = "__metadata__";

struct ElementSize {
  std::string_view dtype;
  std::int64_t bytes;
};

constexpr std::array<ElementSize, 16> kElementSizes = {{{"BOOL", 1},
                                                        {"U8", 1},
                                                        {"I8", 1},
                                                        {"F8_E5M2", 1},
                                                        {"F8_E4M3", 1},
                                                        {"F8_E8M0", 1},
                                                        {"I16", 2},
                                                        {"U16", 2},
                                                        {"F16", 2},
                                                        {"BF16", 2},
                                                        {"I32", 4},
                                                        {"U32", 4},
                                                        {"F32", 4},
                                                        {"I64", 8},
                                                        {"U64", 8},
                                                        {"F64", 8}}};

const ElementSize* find_dtype(std::string_view name) {
  const auto* const found = std::find_if(kElementSizes.begin(), kElementSizes.end(),
                                         [&](const ElementSize& row) { return row.dtype == name; });
  return found == kElementSizes.end() ? nullptr : found;
}

// The entry's dtype then points into the table.
SafetensorsEntry parse_entry(JsonScanner& scanner, std::string_view name) {
  SafetensorsEntry entry;
  entry.name = name;
  const auto read_dtype = [&] {
    const std::string_view dtype = scanner.string();
    const ElementSize* const row = find_dtype(dtype);
    if (row == nullptr) {
      scanner.fail(fmt::format("tensor {} has the unknown dtype {}; expected F32", config::quoted(name),
                               config::quoted(dtype)));
    }
    entry.dtype = row->dtype;
  };
  const auto read_shape = [&] {
    scanner.each_element(kSafetensorsRank, [&] { entry.shape.push_back(scanner.natural()); });
  };
  const auto read_offsets = [&] {
    scanner.expect('[');
    entry.begin = scanner.natural();
    scanner.expect(',');
    entry.end = scanner.natural();
    scanner.expect(']');
  };
  scanner.object({{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}});
  return entry;
}

// Empty where the product leaves 63 bits.
std::optional<std::int64_t> byte_count(const SafetensorsEntry& entry) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto* dtype = find_dtype(entry.dtype);
  if (dtype == nullptr) return std::nullopt;
  std::int64_t bytes = dtype->bytes;
  // A zero makes the product zero, whatever the others are.
  if (std::find(entry.shape.begin(), entry.shape.end(), 0) != entry.shape.end()) return 0;
  for (const std::int64_t size : entry.shape) {
    if (bytes > kMost / size) return std::nullopt;
    bytes *= size;
  }
  return bytes;
}

}  // namespace

SafetensorsReader::SafetensorsReader(std::unique_ptr<SeekableBytes> source) : source_(std::move(source)) {
  read_header();
  parse_header();
  check_tensors();
  check_coverage();
}

void SafetensorsReader::read_header() {
  const std::int64_t size = source_->size();
  if (size < kLengthBytes) {
    throw FileError(fmt::format(
        "{}: has {} bytes; expected a safetensors file, which begins with the 8-byte length of its header",
        name(), size));
  }
  std::array<std::byte, kLengthBytes> raw{};
  source_->read(0, raw);
  const auto length = std::bit_cast<std::uint64_t>(raw);
  if (length > static_cast<std::uint64_t>(kSafetensorsHeaderBytes)) {
    throw FileError(
        fmt::format("{}: byte 0: a header of {} bytes; expected at most {}. This is no safetensors file, or "
                    "it is damaged",
                    name(), length, kSafetensorsHeaderBytes));
  }
  data_start_ = kLengthBytes + static_cast<std::int64_t>(length);
  if (data_start_ > size) {
    throw FileError(fmt::format(
        "{}: byte 0: a header of {} bytes, but only {} follow; the file is truncated or no safetensors file",
        name(), length, size - kLengthBytes));
  }
  header_.resize(length);
  source_->read(kLengthBytes, std::as_writable_bytes(std::span(header_)));
}

void SafetensorsReader::parse_header() {
  const std::string place = name() + ": header";
  if (header_.empty() || header_[0] != '{') {
    throw FileError(fmt::format("{}, byte {}: expected '{{' as its first character", place, kLengthBytes));
  }
  // Looking from the end: the padding is spaces and nothing else.
  const auto last = std::find_if(header_.rbegin(), header_.rend(), [](char c) { return c != ' '; });
  const auto used = static_cast<std::size_t>(std::distance(last, header_.rend()));
  if (header_[used - 1] != '}') {
    throw FileError(fmt::format("{}, byte {}: expected '}}' and spaces at its end", place,
                                kLengthBytes + static_cast<std::int64_t>(used) - 1));
  }
  JsonScanner scanner(std::span<char>(header_).first(used), place, kLengthBytes);
  bool metadata_seen = false;
  scanner.each_member([&](std::string_view key) {
    if (key != kMetadataKey) {
      if (entries_.size() == kSafetensorsTensors) {
        scanner.fail(fmt::format("more than {} tensors", kSafetensorsTensors));
      }
      entries_.push_back(parse_entry(scanner, key));
      return;
    }
    if (metadata_seen) scanner.fail("key '__metadata__' stands here twice");
    metadata_seen = true;
    scanner.each_member([&](std::string_view metadata_key) {
      if (metadata_.size() == kSafetensorsMetadata) {
        scanner.fail(fmt::format("more than {} keys in __metadata__", kSafetensorsMetadata));
      }
      const std::string_view text = scanner.string();
      const std::size_t start = static_cast<std::size_t>(text.data() - header_.data());
      metadata_.push_back({metadata_key, std::span(header_).subspan(start, text.size())});
    });
  });
  scanner.expect_end();
  std::sort(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::sort(metadata_.begin(), metadata_.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  const auto twin = std::adjacent_find(entries_.begin(), entries_.end(),
                                       [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twin != entries_.end()) {
    throw FileError(fmt::format("{}: tensor {} stands there twice", place, config::quoted(twin->name)));
  }
  const auto pair = std::adjacent_find(metadata_.begin(), metadata_.end(),
                                       [](const auto& a, const auto& b) { return a.key == b.key; });
  if (pair != metadata_.end()) {
    throw FileError(fmt::format("{}: metadata key {} stands there twice", place, config::quoted(pair->key)));
  }
}

void SafetensorsReader::check_tensors() const {
  const std::int64_t data_bytes = source_->size() - data_start_;
  for (const SafetensorsEntry& entry : entries_) {
    const auto refuse = [&](const std::string& why) {
      throw FileError(fmt::format("{}: tensor {}: {}", name(), config::quoted(entry.name), why));
    };
    if (entry.begin > entry.end) {
      refuse(fmt::format("data_offsets [{}, {}]; the second must not be smaller", entry.begin, entry.end));
    }
    if (entry.end > data_bytes) {
      refuse(
          fmt::format("ends at byte {} of the tensor data, but the file holds {}; it is truncated or damaged",
                      entry.end, data_bytes));
    }
    const std::optional<std::int64_t> bytes = byte_count(entry);
    const std::string shape = fmt::format("{} of shape [{}]", entry.dtype, fmt::join(entry.shape, ", "));
    if (!bytes) refuse(shape + " has more bytes than a file can hold");
    if (*bytes != entry.end - entry.begin) {
      refuse(fmt::format("{} needs {} bytes, but data_offsets [{}, {}] give it {}", shape, *bytes,
                         entry.begin, entry.end, entry.end - entry.begin));
    }
  }
}

void SafetensorsReader::check_coverage() const {
  std::vector<std::size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(entries_[a].begin, entries_[a].end) < std::pair(entries_[b].begin, entries_[b].end);
  });
  std::int64_t covered = 0;
  for (const std::size_t i : order) {
    const SafetensorsEntry& entry = entries_[i];
    if (entry.begin != covered) {
      throw FileError(
          fmt::format("{}: tensor {} begins at byte {} of the tensor data, expected {}: there is {}", name(),
                      config::quoted(entry.name), entry.begin, covered,
                      entry.begin > covered ? "a hole before it" : "an overlap with the tensor before it"));
    }
    covered = entry.end;
  }
  const std::int64_t left = source_->size() - data_start_ - covered;
  if (left != 0) {
    throw FileError(fmt::format("{}: byte {}: {} bytes follow the last tensor; expected the file to end",
                                name(), data_start_ + covered, left));
  }
}

const SafetensorsEntry* SafetensorsReader::find(std::string_view name) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), name,
                                      [](const auto& entry, std::string_view n) { return entry.name < n; });
  return found != entries_.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string_view> SafetensorsReader::metadata_keys() const {
  std::vector<std::string_view> keys;
  for (const Metadata& item : metadata_) keys.push_back(item.key);
  return keys;
}

std::optional<std::span<char>> SafetensorsReader::metadata(std::string_view key) {
  for (const Metadata& item : metadata_) {
    if (item.key == key) return item.text;
  }
  return std::nullopt;
}

void SafetensorsReader::read_f32(const SafetensorsEntry& entry, std::span<float> to) const {
  if (entry.dtype != "F32") {
    throw FileError(fmt::format("{}: tensor {} is {}; only F32 can be read here, so convert it to float32",
                                name(), config::quoted(entry.name), entry.dtype));
  }
  if (to.size_bytes() != static_cast<std::size_t>(entry.end - entry.begin)) {
    throw std::logic_error("read_f32 into memory of another size");
  }
  source_->read(file_offset(entry.begin), std::as_writable_bytes(to));
}

}  // namespace vaecuda
