#include "host/report/tensorboard.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "host/report/png.hpp"

namespace vaecuda {
namespace {

constexpr std::uint32_t kReflectedPolynomial = 0x82F63B78U;  // of CRC-32C

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1U) != 0 ? kReflectedPolynomial : 0U);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

template <typename Value>
void append_little_endian(std::string& bytes, Value value) {
  for (std::size_t shift = 0; shift < 8 * sizeof(Value); shift += 8) {
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift & 0xFFU)));
  }
}

// A protocol buffer message, field by field. A field is a key (its number and wire type) and its value; an
// embedded message is stored as its bytes.
class Message {
 public:
  Message& add_integer(std::uint32_t field, std::int64_t value) {
    add_key(field, 0);
    add_varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  Message& add_double(std::uint32_t field, double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    add_key(field, 1);
    append_little_endian(bytes_, bits);
    return *this;
  }
  Message& add_float(std::uint32_t field, float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    add_key(field, 5);
    append_little_endian(bytes_, bits);
    return *this;
  }
  Message& add_bytes(std::uint32_t field, std::string_view value) {
    add_key(field, 2);
    add_varint(value.size());
    bytes_.append(value);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void add_key(std::uint32_t field, std::uint32_t wire_type) { add_varint(field << 3 | wire_type); }
  // Seven bits per byte, the lowest first; the top bit says that more follow.
  void add_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes_.push_back(static_cast<char>(static_cast<unsigned char>(value | 0x80)));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
namespace event {
constexpr std::uint32_t kWallTime = 1;
constexpr std::uint32_t kStep = 2;
constexpr std::uint32_t kFileVersion = 3;
constexpr std::uint32_t kSummary = 5;
}  // namespace event
namespace summary {
constexpr std::uint32_t kValue = 1;
constexpr std::uint32_t kValueTag = 1;
constexpr std::uint32_t kValueSimple = 2;
constexpr std::uint32_t kValueImage = 4;
constexpr std::uint32_t kImageHeight = 1;
constexpr std::uint32_t kImageWidth = 2;
constexpr std::uint32_t kImageColorspace = 3;  // the number of channels
constexpr std::uint32_t kImageEncoded = 4;
}  // namespace summary

std::string make_event(const Message& values, std::int64_t step, double wall_time) {
  return Message()
      .add_double(event::kWallTime, wall_time)
      .add_integer(event::kStep, step)
      .add_bytes(event::kSummary, values.bytes())
      .bytes();
}

// TFRecord masks its checksums, because a checksum of data that contain their own checksum is weak.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(std::as_bytes(std::span(bytes)));
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

std::string file_name(double wall_time) {
  return fmt::format("events.out.tfevents.{:.0f}.vaecuda", std::floor(wall_time));
}

}  // namespace

EventFile::EventFile(std::shared_ptr<const Folder> folder, double wall_time)
    : file_(Place(std::move(folder), file_name(wall_time))) {
  if (!file_.was_empty()) return;
  append_record(Message()
                    .add_double(event::kWallTime, wall_time)
                    .add_bytes(event::kFileVersion, "brain.Event:2")
                    .bytes());
}

void EventFile::add_scalars(std::span<const Scalar> scalars, std::int64_t step, double wall_time) {
  Message values;
  for (const Scalar& scalar : scalars) {
    const Message value =
        Message().add_bytes(summary::kValueTag, scalar.tag).add_float(summary::kValueSimple, scalar.value);
    values.add_bytes(summary::kValue, value.bytes());
  }
  append_record(make_event(values, step, wall_time));
}

void EventFile::add_image(std::string_view tag, const EncodedImage& image, std::int64_t step,
                          double wall_time) {
  const Message picture =
      Message()
          .add_integer(summary::kImageHeight, image.height)
          .add_integer(summary::kImageWidth, image.width)
          .add_integer(summary::kImageColorspace, image.channels)
          .add_bytes(summary::kImageEncoded, std::string(image.png.begin(), image.png.end()));
  const Message value =
      Message().add_bytes(summary::kValueTag, tag).add_bytes(summary::kValueImage, picture.bytes());
  append_record(make_event(Message().add_bytes(summary::kValue, value.bytes()), step, wall_time));
}

// A TFRecord frame: length, its checksum, the event, its checksum.
void EventFile::append_record(const std::string& event) {
  std::string frame;
  append_little_endian(frame, static_cast<std::uint64_t>(event.size()));
  append_little_endian(frame, masked_crc(frame));
  frame += event;
  append_little_endian(frame, masked_crc(event));
  file_.append(frame);
}

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kCrcTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU];
  }
  return ~crc;
}

}  // namespace vaecuda
