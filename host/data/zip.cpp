#include "host/data/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

// Of the format's appnote: signatures, and the sizes of the parts whose size is fixed.
constexpr std::uint64_t kMemberMark = 0x04034b50;
constexpr std::uint64_t kEntryMark = 0x02014b50;
constexpr std::uint64_t kEndMark = 0x06054b50;
constexpr std::uint64_t kWideEndMark = 0x06064b50;
constexpr std::uint64_t kWidePlaceMark = 0x07064b50;
constexpr std::size_t kMemberBytes = 30;
constexpr std::size_t kEntryBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kWideEndBytes = 56;
constexpr std::size_t kWidePlaceBytes = 20;
constexpr std::uint64_t kElsewhere = 0xffffffff;  ///< a 32-bit number that ZIP64 keeps in 64 bits

std::uint64_t number_at(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8U | bytes[at + i];
  return value;
}

std::int64_t size_of(RawFile& file) {
  if (!file.size()) fail(file.path(), "is a zip archive in a pipe; give the file itself");
  return *file.size();
}

[[noreturn]] void refuse(const RawFile& file, std::string_view why) {
  fail(file.path(), "is a damaged zip archive: {}. Download or write it again", why);
}

/// `size` bytes from `begin` on.
std::vector<std::uint8_t> read_at(RawFile& file, std::int64_t begin, std::int64_t size) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  file.seek(begin);
  for (std::span<std::uint8_t> to = bytes; !to.empty();) {
    const std::size_t got = file.read_some(to);
    if (got == 0) refuse(file, "it ends early");
    to = to.subspan(got);
  }
  return bytes;
}

struct Directory {
  std::uint64_t members = 0;
  std::uint64_t bytes = 0;
  std::uint64_t begin = 0;
};

/// Where the directory lies, by the record at the archive's end.
Directory find_directory(RawFile& file) {
  constexpr std::int64_t kLongestEnd = 65535 + kEndBytes;  // with the longest comment
  const std::int64_t size = size_of(file);
  const std::int64_t tail_begin = std::max<std::int64_t>(0, size - kLongestEnd);
  const std::vector<std::uint8_t> tail = read_at(file, tail_begin, size - tail_begin);
  std::size_t at = tail.size();
  for (std::size_t i = tail.size() < kEndBytes ? 0 : tail.size() - kEndBytes + 1; i-- > 0;) {
    if (number_at(tail, i, 4) != kEndMark) continue;
    at = i;
    break;
  }
  if (at == tail.size()) refuse(file, "it has no directory at its end, so it is probably truncated");
  Directory found{number_at(tail, at + 10, 2), number_at(tail, at + 12, 4), number_at(tail, at + 16, 4)};
  const bool is_wide = at >= kWidePlaceBytes && number_at(tail, at - kWidePlaceBytes, 4) == kWidePlaceMark;
  if (!is_wide) return found;
  const std::uint64_t place = number_at(tail, at - kWidePlaceBytes + 8, 8);
  if (place > static_cast<std::uint64_t>(size) || static_cast<std::uint64_t>(size) - place < kWideEndBytes)
    refuse(file, "its ZIP64 directory lies behind its end");
  const std::vector<std::uint8_t> wide = read_at(file, static_cast<std::int64_t>(place), kWideEndBytes);
  if (number_at(wide, 0, 4) != kWideEndMark) refuse(file, "its ZIP64 directory is not where it should be");
  return {number_at(wide, 32, 8), number_at(wide, 40, 8), number_at(wide, 48, 8)};
}

/// The numbers of an entry that do not fit into 32 bits, in the order in which they are missing.
void take_wide_numbers(std::span<const std::uint8_t> extra, std::initializer_list<std::uint64_t*> numbers) {
  constexpr std::uint64_t kWideField = 0x0001;
  while (extra.size() >= 4) {
    const std::uint64_t field = number_at(extra, 0, 2);
    const auto size = std::min<std::size_t>(number_at(extra, 2, 2), extra.size() - 4);
    std::span<const std::uint8_t> content = extra.subspan(4, size);
    extra = extra.subspan(4 + size);
    if (field != kWideField) continue;
    for (std::uint64_t* number : numbers) {
      if (*number != kElsewhere || content.size() < 8) continue;
      *number = number_at(content, 0, 8);
      content = content.subspan(8);
    }
    return;
  }
}

ZipMember member_of(const RawFile& file, std::span<const std::uint8_t> entry, std::string name,
                    std::span<const std::uint8_t> extra) {
  constexpr std::uint64_t kBestDeflateRatio = 1032;
  constexpr std::uint64_t kEncrypted = 1;
  constexpr std::uint64_t kStored = 0;
  constexpr std::uint64_t kDeflated = 8;
  const std::uint64_t method = number_at(entry, 10, 2);
  if ((number_at(entry, 8, 2) & kEncrypted) != 0)
    fail(file.path(), "holds {}, which is encrypted; unpack it and pack it without a password",
         in_quotes(name));
  if (method != kStored && method != kDeflated) {
    fail(file.path(), "holds {}, which is packed by method {}; expected 0 (stored) or 8 (deflated)",
         in_quotes(name), method);
  }
  std::uint64_t packed = number_at(entry, 20, 4);
  std::uint64_t size = number_at(entry, 24, 4);
  std::uint64_t header = number_at(entry, 42, 4);
  take_wide_numbers(extra, {&size, &packed, &header});
  const auto whole = static_cast<std::uint64_t>(*file.size());
  const bool lies_inside = header <= whole && packed <= whole - header;
  if (!lies_inside) fail(file.path(), "is a damaged zip archive: {} lies behind its end", in_quotes(name));
  if (method == kStored ? size != packed : size / kBestDeflateRatio > packed) {
    fail(file.path(), "is a damaged zip archive: {} of {} cannot have been packed into {}", in_quotes(name),
         readable_bytes(static_cast<double>(size)), readable_bytes(static_cast<double>(packed)));
  }
  return {.name = std::move(name),
          .is_deflated = method == kDeflated,
          .checksum = static_cast<std::uint32_t>(number_at(entry, 16, 4)),
          .packed = static_cast<std::int64_t>(packed),
          .size = static_cast<std::int64_t>(size),
          .header = static_cast<std::int64_t>(header)};
}

}  // namespace

bool is_zip(std::span<const std::uint8_t> head) {
  return head.size() >= 4 && number_at(head, 0, 4) == kMemberMark;
}

std::vector<ZipMember> read_zip_directory(RawFile& file) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 20U;
  const Directory found = find_directory(file);
  const auto whole = static_cast<std::uint64_t>(*file.size());
  if (found.begin > whole || found.bytes > whole - found.begin)
    refuse(file, "its directory lies behind its end");
  if (found.bytes > kMostBytes) fail(file.path(), "is a zip archive with a directory above 16 MiB");
  const std::vector<std::uint8_t> bytes =
      read_at(file, static_cast<std::int64_t>(found.begin), static_cast<std::int64_t>(found.bytes));
  std::vector<ZipMember> members;
  for (std::span<const std::uint8_t> rest = bytes; !rest.empty();) {
    if (rest.size() < kEntryBytes || number_at(rest, 0, 4) != kEntryMark)
      refuse(file, fmt::format("entry {} of its directory is none", members.size()));
    const std::span<const std::uint8_t> entry = rest.first(kEntryBytes);
    const std::size_t name = number_at(entry, 28, 2);
    const std::size_t extra = number_at(entry, 30, 2);
    const std::size_t comment = number_at(entry, 32, 2);
    rest = rest.subspan(kEntryBytes);
    if (rest.size() < name + extra + comment)
      refuse(file, fmt::format("entry {} of its directory is cut off", members.size()));
    members.push_back(member_of(file, entry, {rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(name)},
                                rest.subspan(name, extra)));
    rest = rest.subspan(name + extra + comment);
  }
  if (members.size() != found.members) {
    refuse(file,
           fmt::format("its directory has {} entries and should have {}", members.size(), found.members));
  }
  return members;
}

struct ZipDecoder::Stream {
  z_stream z{};
  bool ended = false;
  Stream() {
    constexpr int kNoHeader = -15;  // the largest window, and neither zlib's header nor gzip's
    if (inflateInit2(&z, kNoHeader) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

ZipDecoder::ZipDecoder(RawFile& file, const ZipMember& member, std::string name)
    : file_(file),
      name_(std::move(name)),
      packed_left_(member.packed),
      left_(member.size),
      expected_checksum_(member.checksum) {
  const std::int64_t whole = size_of(file);
  const auto room = static_cast<std::uint64_t>(whole - member.header);
  if (room < kMemberBytes) damaged("its header is cut off");
  const std::vector<std::uint8_t> header = read_at(file, member.header, kMemberBytes);
  if (number_at(header, 0, 4) != kMemberMark) damaged("its header is not where the directory says");
  const std::uint64_t skipped = kMemberBytes + number_at(header, 26, 2) + number_at(header, 28, 2);
  if (room < skipped || room - skipped < static_cast<std::uint64_t>(member.packed)) damaged("it is cut off");
  file.seek(member.header + static_cast<std::int64_t>(skipped));
  if (member.is_deflated) stream_ = std::make_unique<Stream>();
}

ZipDecoder::~ZipDecoder() = default;

void ZipDecoder::damaged(const char* why) const {
  fail(name_, "is damaged in its zip archive: {}. Download or write it again", why);
}

std::size_t ZipDecoder::read_some(std::span<std::uint8_t> to) {
  if (ended_ || to.empty()) return 0;
  to = to.first(std::min<std::size_t>(to.size(), std::numeric_limits<uInt>::max()));
  const std::size_t got = stream_ ? inflate_some(to) : read_stored(to);
  if (got > 0) {
    left_ -= static_cast<std::int64_t>(got);
    checksum_ = static_cast<std::uint32_t>(crc32(checksum_, to.data(), static_cast<uInt>(got)));
    if (left_ < 0) damaged("it holds more than the directory says");
    return got;
  }
  ended_ = true;
  if (left_ != 0) damaged("it holds less than the directory says");
  if (checksum_ != expected_checksum_) damaged("its checksum is wrong");
  return 0;
}

std::size_t ZipDecoder::read_stored(std::span<std::uint8_t> to) {
  const auto wanted = std::min(static_cast<std::int64_t>(to.size()), packed_left_);
  const std::size_t got = file_.read_some(to.first(static_cast<std::size_t>(wanted)));
  if (got == 0 && packed_left_ > 0) damaged("the file ends inside it");
  packed_left_ -= static_cast<std::int64_t>(got);
  return got;
}

std::size_t ZipDecoder::inflate_some(std::span<std::uint8_t> to) {
  z_stream& z = stream_->z;
  z.next_out = to.data();
  z.avail_out = static_cast<uInt>(to.size());
  while (z.avail_out == to.size() && !stream_->ended) {
    const std::span<const std::uint8_t> buffered = file_.buffered();
    const auto offered = std::min(static_cast<std::int64_t>(buffered.size()), packed_left_);
    // zlib's interface lacks the const; it does not write to its input.
    z.next_in = const_cast<Bytef*>(buffered.data());  // NOLINT(*-const-cast)
    z.avail_in = static_cast<uInt>(offered);
    const int status = inflate(&z, Z_NO_FLUSH);
    const std::int64_t used = offered - static_cast<std::int64_t>(z.avail_in);
    file_.consume(static_cast<std::size_t>(used));
    packed_left_ -= used;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      damaged("its deflated data are no deflate stream");
    // Without input it may still have output to give.
    if (status == Z_BUF_ERROR && offered == 0) damaged("its deflated data end early");
    stream_->ended = status == Z_STREAM_END;
    if (stream_->ended && packed_left_ > 0) damaged("bytes follow its deflated data");
  }
  return to.size() - z.avail_out;
}

}  // namespace vaecuda::data
