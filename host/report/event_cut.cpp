// Finding and truncating event files, which tensorboard.cpp writes.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <bit>

#include "host/io/output_descriptor.hpp"
#include "host/io/seekable_bytes.hpp"
#include "host/report/tensorboard.hpp"

namespace vaecuda {
namespace {

static_assert(std::endian::native == std::endian::little, "lengths are read without swapping bytes");

constexpr std::int64_t kLengthBytes = 8;
constexpr std::int64_t kChecksumBytes = 4;
/// The fields that identify an event: time, step, and the first value's tag and kind.
constexpr std::size_t kHeadBytes = 256;

// Keys of protocol buffers: the field's number, and how it is stored (tensorboard.cpp has the fields).
constexpr std::uint8_t kWallTime = 1 << 3 | 1;
constexpr std::uint8_t kStep = 2 << 3 | 0;
constexpr std::uint8_t kSummary = 5 << 3 | 2;
constexpr std::uint8_t kValue = 1 << 3 | 2;
constexpr std::uint8_t kTag = 1 << 3 | 2;
constexpr std::uint8_t kImage = 4 << 3 | 2;

/// Reads an event from its start; beyond its end every value is 0.
class Head {
 public:
  explicit Head(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool take(std::uint8_t key) {
    if (at_ >= bytes_.size() || bytes_[at_] != key) return false;
    ++at_;
    return true;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const std::uint8_t byte = bytes_[at_++];
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }
  void skip(std::uint64_t count) { at_ += std::min<std::uint64_t>(count, bytes_.size() - at_); }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

/// Whether an event is kept. The one that opens a file has no step and is kept.
bool stays(std::span<const std::uint8_t> event, const std::function<bool(std::int64_t)>& keeps) {
  Head head(event);
  if (!head.take(kWallTime)) return true;
  head.skip(sizeof(double));
  if (!head.take(kStep)) return true;
  if (!keeps(static_cast<std::int64_t>(head.varint()))) return false;
  if (!head.take(kSummary)) return true;
  head.varint();
  if (!head.take(kValue)) return true;
  head.varint();
  if (!head.take(kTag)) return true;
  head.skip(head.varint());
  return !head.take(kImage);
}

}  // namespace

std::int64_t kept_event_bytes(const SeekableBytes& file, const std::function<bool(std::int64_t)>& keeps) {
  std::int64_t at = 0;
  for (;;) {
    const std::int64_t left = file.size() - at - kLengthBytes - 2 * kChecksumBytes;
    if (left < 0) return at;
    std::array<std::byte, kLengthBytes> raw{};
    file.read(at, raw);
    const auto length = std::bit_cast<std::uint64_t>(raw);
    if (length > static_cast<std::uint64_t>(left)) return at;
    std::array<std::uint8_t, kHeadBytes> head{};
    const std::span<std::uint8_t> used(head.data(), std::min<std::size_t>(kHeadBytes, length));
    file.read(at + kLengthBytes + kChecksumBytes, std::as_writable_bytes(used));
    if (!stays(used, keeps)) return at;
    at += kLengthBytes + 2 * kChecksumBytes + static_cast<std::int64_t>(length);
  }
}

std::vector<std::string> event_files(const Folder& folder) {
  std::vector<std::string> names = folder.names();
  std::erase_if(names, [](const std::string& name) {
    return !name.starts_with("events.out.tfevents.") || !name.ends_with(".vaecuda");
  });
  return names;
}

void cut_event_file(const Place& place, const std::function<bool(std::int64_t)>& keeps) {
  const std::unique_ptr<SeekableBytes> file = open_bytes(place);
  const std::int64_t kept = kept_event_bytes(*file, keeps);
  if (kept == file->size()) return;
  OutputDescriptor output(place, O_WRONLY);
  output.truncate(kept);
  output.sync();
  output.close();
}

}  // namespace vaecuda
