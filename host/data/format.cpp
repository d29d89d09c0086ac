#include "host/data/format.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "host/data/cifar.hpp"
#include "host/data/idx.hpp"
#include "host/data/message.hpp"
#include "host/data/npy.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kHeadBytes = 512;

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

bool is_text(std::span<const std::uint8_t> head) {
  return std::none_of(head.begin(), head.end(), [](std::uint8_t byte) {
    return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
  });
}

struct Foreign {
  std::size_t offset;
  std::string_view magic;
  std::string_view advice;
};
using namespace std::string_view_literals;
constexpr std::array<Foreign, 14> kForeign = {{
    {0, "PK\x03\x04"sv, "a zip archive (as .npz is); unpack it and give the .npy file inside"},
    {0, "\x89HDF"sv, "an HDF5 file; export the array as .npy"},
    {0, "PAR1"sv, "a Parquet file; export the table as .csv or .npy"},
    {0, "ARROW1"sv, "an Arrow file; export the table as .csv or .npy"},
    {0, "MATLAB"sv, "a MATLAB file; export the array as .npy"},
    {0, "\x80\x02"sv, "a Python pickle, which is not opened for safety; save the array as .npy"},
    {0, "\x80\x03"sv, "a Python pickle, which is not opened for safety; save the array as .npy"},
    {0, "\x80\x04"sv, "a Python pickle, which is not opened for safety; save the array as .npy"},
    {0, "\x89PNG"sv, "a PNG picture; put all pictures into one .npy array (N,H,W,C)"},
    {0, "\xff\xd8\xff"sv, "a JPEG picture; put all pictures into one .npy array (N,H,W,C)"},
    {0, "\x28\xb5\x2f\xfd"sv, "compressed by zstd; decompress it or use gzip"},
    {0, "\xfd\x37zXZ"sv, "compressed by xz; decompress it or use gzip"},
    {0, "\x1f\x8b"sv, "gzip inside gzip; decompress it once"},
    {257, "ustar"sv, "a tar archive; unpack it and give the file or folder inside"},
}};

std::string_view foreign_advice(std::span<const std::uint8_t> head) {
  for (const Foreign& format : kForeign) {
    if (head.size() < format.offset + format.magic.size()) continue;
    const auto part = head.subspan(format.offset, format.magic.size());
    if (std::equal(part.begin(), part.end(), format.magic.begin(), [](std::uint8_t byte, char letter) {
          return byte == static_cast<std::uint8_t>(letter);
        })) {
      return format.advice;
    }
  }
  return {};
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", byte);
  return text;
}

}  // namespace

FileFormat detect_format(ByteSource& source) {
  const std::span<const std::uint8_t> head = source.peek(kHeadBytes);
  if (is_npy(head)) return FileFormat::npy;
  if (is_cifar(source, head) && !is_whole_idx(source, head)) return FileFormat::cifar;
  if (is_idx(head)) return FileFormat::idx;
  const std::string_view advice = foreign_advice(head);
  if (!advice.empty()) fail(source.path(), "is {}", advice);
  if (head.size() >= 2 && ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff))) {
    fail(source.path(), "is UTF-16 text; save the table as UTF-8");
  }
  if (is_text(head)) return FileFormat::csv;
  fail(source.path(),
       "is of no known format: it begins with the bytes {}. Expected IDX (magic 00 00, type, dimensions), "
       ".npy, CSV text, "
       "each also compressed by gzip, or a CIFAR-10 batch (.bin, a multiple of {} bytes long)",
       hex(head.first(std::min<std::size_t>(head.size(), 8))), kCifarRecordBytes);
}

}  // namespace vaecuda::data
