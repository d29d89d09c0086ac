#include "host/io/npz.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <limits>
#include <stdexcept>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::size_t kNpyAlignment = 64;
// Constants of the zip format (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16).
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kVersion = 20;
constexpr std::uint32_t kEpochDate = 0x21;  // 1 January 1980

class LittleEndian {
 public:
  LittleEndian& u16(std::uint32_t value) { return put(value, 2); }
  LittleEndian& u32(std::uint32_t value) { return put(value, 4); }
  LittleEndian& text(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  /// What the local and the central header of a stored member have in common.
  LittleEndian& member(std::uint32_t crc, std::uint32_t size, const std::string& name) {
    u16(kVersion);  // needed
    u32(0);         // flags, stored
    u16(0);         // time
    u16(kEpochDate);
    u32(crc).u32(size).u32(size);
    u16(static_cast<std::uint32_t>(name.size()));
    return u16(0);  // extra field
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  LittleEndian& put(std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_ += static_cast<char>((value >> (8 * i)) & 0xff);
    return *this;
  }
  std::string bytes_;
};

std::uint32_t crc_of(std::uint32_t crc, const void* bytes, std::size_t size) {
  if (size == 0) return crc;  // zlib restarts the checksum for a null address
  return static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(bytes), size));
}

}  // namespace

std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape) {
  std::string dims;
  for (const std::int64_t dim : shape) dims += fmt::format("{}{}", dims.empty() ? "" : ", ", dim);
  if (shape.size() == 1) dims += ',';
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, dims);
  constexpr std::size_t kBefore = 10;  // magic, version, length
  const std::size_t used = kBefore + text.size() + 1;
  text.append((kNpyAlignment - used % kNpyAlignment) % kNpyAlignment, ' ');
  text += '\n';
  if (text.size() > std::numeric_limits<std::uint16_t>::max())
    throw std::logic_error("a .npy header too long");
  return LittleEndian()
      .text("\x93NUMPY")
      .u16(1)
      .u16(static_cast<std::uint32_t>(text.size()))
      .text(text)
      .bytes();
}

void NpzWriter::write(std::string_view bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void NpzWriter::add(const std::string& name, std::string_view head, std::span<const std::byte> body) {
  const std::uint64_t size = head.size() + body.size();
  if (position_ + size > std::numeric_limits<std::uint32_t>::max() / 2) {
    throw RuntimeError(
        fmt::format("cannot write '{}': an .npz archive of more than 2 GiB; export safetensors instead",
                    file_.path().string()));
  }
  Member member{name, 0, static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(position_)};
  member.crc = crc_of(crc_of(0, head.data(), head.size()), body.data(), body.size());
  write(LittleEndian().u32(kLocalSignature).member(member.crc, member.size, name).text(name).bytes());
  write(head);
  file_.write(body);
  position_ += body.size();
  members_.push_back(std::move(member));
}

void NpzWriter::add_array(const std::string& name, std::span<const std::int64_t> shape,
                          std::span<const float> values) {
  add(name + ".npy", npy_header("<f4", shape), std::as_bytes(values));
}

void NpzWriter::add_text(const std::string& name, std::string_view text) {
  add(name, text, {});
}

void NpzWriter::commit() {
  const auto directory = static_cast<std::uint32_t>(position_);
  for (const Member& member : members_) {
    write(LittleEndian()
              .u32(kCentralSignature)
              .u16(kVersion)  // made by
              .member(member.crc, member.size, member.name)
              .u16(0)  // comment
              .u16(0)  // disk
              .u16(0)  // internal attributes
              .u32(0)  // external attributes
              .u32(member.offset)
              .text(member.name)
              .bytes());
  }
  const auto count = static_cast<std::uint32_t>(members_.size());
  const auto bytes = static_cast<std::uint32_t>(position_) - directory;
  write(LittleEndian()
            .u32(kEndSignature)
            .u16(0)
            .u16(0)
            .u16(count)
            .u16(count)
            .u32(bytes)
            .u32(directory)
            .u16(0)
            .bytes());
  file_.commit();
}

}  // namespace vaecuda
