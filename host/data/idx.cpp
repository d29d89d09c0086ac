#include "host/data/idx.hpp"

#include <array>

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
       "(i32), 0x0d "
       "(f32) or 0x0e (f64)",
       code, source.place(2));
}

}  // namespace

bool is_idx(std::span<const std::uint8_t> head) {
  return head.size() >= 2 && head[0] == 0 && head[1] == 0;
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

}  // namespace vaecuda::data
