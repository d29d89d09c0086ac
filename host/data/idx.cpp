#include "host/data/idx.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/data/array_file_rows.hpp"
#include "host/data/format.hpp"
#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

Scalar scalar_of(const ByteSource& source, std::uint8_t code) {
  switch (code) {
    case 0x08:
      return Scalar::u8;
    case 0x09:
      return Scalar::i8;
    case 0x0b:
      return Scalar::i16;
    case 0x0c:
      return Scalar::i32;
    case 0x0d:
      return Scalar::f32;
    case 0x0e:
      return Scalar::f64;
    default:
      break;
  }
  fail(source.path(),
       "has a wrong IDX magic: type code 0x{:02x} at {}; expected 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c "
       "(i32), 0x0d (f32) or 0x0e (f64)",
       code, source.place(2));
}

}  // namespace

bool is_idx(std::span<const std::uint8_t> head) {
  return head.size() >= 2 && head[0] == 0 && head[1] == 0;
}

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

ArrayHeader read_idx_header(ByteSource& source) {
  std::array<std::uint8_t, 4> magic{};
  source.read(magic, "the IDX header");
  ArrayHeader header;
  header.order = std::endian::big;
  header.scalar = scalar_of(source, magic[2]);
  constexpr int kMostDims = 8;
  if (magic[3] < 1 || magic[3] > kMostDims) {
    fail(source.path(), "has a wrong IDX magic: {} dimensions at {}; expected 1 to {}", magic[3],
         source.place(3), kMostDims);
  }
  for (int i = 0; i < magic[3]; ++i) {
    std::array<std::uint8_t, 4> size{};
    source.read(size, "the IDX header");
    std::int64_t dim = 0;
    for (const std::uint8_t byte : size) dim = dim * 256 + byte;
    header.dims.push_back(dim);
  }
  return header;
}

// A video begins so too, with zeros.
constinit const Format kIdxFormat = {
    .name = "IDX",
    .told_by = "(magic 00 00, type, dimensions)",
    .labels_name = "IDX",
    .yields_to_foreign = true,
    .streams_with_labels = true,
    .is_it = [](const ByteSource&, std::span<const std::uint8_t> head) { return is_idx(head); },
    .read = [](const DataSource&, ByteSource& bytes) { return read_array(bytes, read_idx_header(bytes)); },
    .read_labels =
        [](ByteSource& bytes, std::int64_t, const std::vector<std::string>&) {
          return read_label_file(bytes, read_idx_header(bytes));
        },
    .open =
        [](const DataSource& source, std::unique_ptr<ByteSource> bytes) {
          return open_array_file(source, std::move(bytes), read_idx_header);
        },
};

}  // namespace vaecuda::data
