// Zip archives for tests, good or broken on purpose.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace vaecuda::test {

struct ZipPart {
  std::string name = {};
  std::string content = {};
  bool deflated = false;
  // What the directory claims where it is another than what is there.
  std::int64_t claimed_size = -1;
  std::int64_t method = -1;
  std::uint32_t checksum_change = 0;
  bool encrypted = false;
};

/// Little-endian.
inline std::string zip_number(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

/// A deflate stream without zlib's header.
inline std::string deflated(std::string_view content) {
  z_stream z{};
  if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string packed(deflateBound(&z, static_cast<uLong>(content.size())), '\0');
  std::string input(content);
  z.next_in = reinterpret_cast<Bytef*>(input.data());
  z.avail_in = static_cast<uInt>(input.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

/// `wide`: sizes and places as ZIP64 has them, however small.
inline std::string zip_bytes(const std::vector<ZipPart>& parts, bool wide = false) {
  std::string file;
  std::string directory;
  for (const ZipPart& part : parts) {
    const std::string packed = part.deflated ? deflated(part.content) : part.content;
    const auto checksum =
        static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(part.content.data()),
                                         static_cast<uInt>(part.content.size()))) ^
        part.checksum_change;
    const auto method = static_cast<std::uint64_t>(part.method >= 0 ? part.method : part.deflated ? 8 : 0);
    const auto size = static_cast<std::uint64_t>(
        part.claimed_size >= 0 ? part.claimed_size : static_cast<std::int64_t>(part.content.size()));
    const auto number = [wide](std::uint64_t value) { return zip_number(wide ? 0xffffffff : value, 4); };
    const std::string extra = wide ? zip_number(1, 2) + zip_number(24, 2) + zip_number(size, 8) +
                                         zip_number(packed.size(), 8) + zip_number(file.size(), 8)
                                   : "";
    directory += "PK\1\2" + zip_number(45, 2) + zip_number(45, 2) + zip_number(part.encrypted ? 1 : 0, 2) +
                 zip_number(method, 2) + zip_number(0, 4) + zip_number(checksum, 4) + number(packed.size()) +
                 number(size) + zip_number(part.name.size(), 2) + zip_number(extra.size(), 2) +
                 zip_number(0, 2) + zip_number(0, 2) + zip_number(0, 2) + zip_number(0, 4) +
                 number(file.size()) + part.name + extra;
    file += "PK\3\4" + zip_number(45, 2) + zip_number(0, 2) + zip_number(method, 2) + zip_number(0, 4) +
            zip_number(checksum, 4) + number(packed.size()) + number(size) + zip_number(part.name.size(), 2) +
            zip_number(0, 2) + part.name + packed;
  }
  const std::uint64_t begin = file.size();
  file += directory;
  if (wide) {
    const std::uint64_t place = file.size();
    file += "PK\6\6" + zip_number(44, 8) + zip_number(45, 2) + zip_number(45, 2) + zip_number(0, 8) +
            zip_number(parts.size(), 8) + zip_number(parts.size(), 8) + zip_number(directory.size(), 8) +
            zip_number(begin, 8);
    file += "PK\6\7" + zip_number(0, 4) + zip_number(place, 8) + zip_number(1, 4);
  }
  const auto count = wide ? 0xffff : parts.size();
  file += "PK\5\6" + zip_number(0, 4) + zip_number(count, 2) + zip_number(count, 2) +
          zip_number(wide ? 0xffffffff : directory.size(), 4) + zip_number(wide ? 0xffffffff : begin, 4) +
          zip_number(0, 2);
  return file;
}

}  // namespace vaecuda::test
