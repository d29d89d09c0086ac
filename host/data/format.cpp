#include "host/data/format.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "host/data/cifar.hpp"
#include "host/data/foreign.hpp"
#include "host/data/idx.hpp"
#include "host/data/message.hpp"
#include "host/data/npy.hpp"

namespace vaecuda::data {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// CIFAR-10's batches have no magic: what they have is a name, a length and a first label. A dark first
// picture may even look like IDX, which is why is_whole_idx() below decides between the two.
bool is_cifar(const ByteSource& source, std::span<const std::uint8_t> head) {
  constexpr std::uint8_t kMostLabel = 9;
  if (!ends_with(source.path(), ".bin") && !ends_with(source.path(), ".bin.gz")) return false;
  return source.size().value_or(0) % kCifarRecordBytes == 0 && head[0] <= kMostLabel;
}

// True where the file is exactly as long as its IDX header says, which no other file is by chance.
bool is_whole_idx(const ByteSource& source, std::span<const std::uint8_t> head) {
  constexpr std::size_t kMagicBytes = 4;
  if (!is_idx(head) || head.size() < kMagicBytes || !source.size()) return false;
  const std::size_t dims = head[3];
  if (dims < 1 || dims > 8 || head.size() < kMagicBytes + 4 * dims) return false;
  constexpr std::array<double, 7> kBytes = {1, 1, 0, 2, 4, 4, 8};  // of type codes 0x08 to 0x0e
  if (head[2] < 0x08 || head[2] > 0x0e) return false;
  double payload = kBytes[head[2] - 0x08U];
  for (std::size_t i = 0; i < dims; ++i) {
    double dim = 0.0;
    for (std::size_t byte = 0; byte < 4; ++byte) dim = dim * 256.0 + head[kMagicBytes + 4 * i + byte];
    payload *= dim;
  }
  return payload + static_cast<double>(kMagicBytes + 4 * dims) == static_cast<double>(*source.size());
}

// Of the first bytes alone: what is wrong further on is told with its line. Names in quotes may hold anything
// but a zero byte.
bool is_text(std::span<const std::uint8_t> head) {
  head = head.first(std::min<std::size_t>(head.size(), 512));
  bool is_quoted = false;
  return std::none_of(head.begin(), head.end(), [&is_quoted](std::uint8_t byte) {
    if (byte == '"') is_quoted = !is_quoted;
    const bool is_control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
    return is_quoted ? byte == 0 : is_control;
  });
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", byte);
  return text;
}

}  // namespace

FileFormat detect_format(ByteSource& source) {
  const std::span<const std::uint8_t> head = source.peek(kForeignHeadBytes);
  if (is_npy(head)) return FileFormat::npy;
  if (is_cifar(source, head) && !is_whole_idx(source, head)) return FileFormat::cifar;
  // A video begins as IDX does, with zeros.
  const std::string foreign = foreign_format(source, head);
  if (!foreign.empty()) fail(source.path(), "is {}", foreign);
  if (is_idx(head)) return FileFormat::idx;
  if (is_text(head)) return FileFormat::csv;
  fail(source.path(),
       "is of no known format: it begins with the bytes {}. Expected IDX (magic 00 00, type, dimensions), "
       ".npy, CSV text, "
       "each also compressed by gzip, or a CIFAR-10 batch (.bin, a multiple of {} bytes long)",
       hex(head.first(std::min<std::size_t>(head.size(), 8))), kCifarRecordBytes);
}

}  // namespace vaecuda::data
