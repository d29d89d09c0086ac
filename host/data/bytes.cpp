#include "host/data/bytes.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "host/data/message.hpp"

namespace vaecuda::data {

ByteSource::ByteSource(std::string path) : file_(std::move(path)), name_(file_.path()) {
  if (is_gzip(file_.buffered(2))) gzip_.emplace(file_);
  if (peek(1).empty()) {
    fail(this->path(), "is empty: its gzip data hold 0 bytes; check that it was written completely");
  }
}

ByteSource::ByteSource(std::string path, const ZipMember& member)
    : file_(std::move(path)),
      name_(fmt::format("{}: {}", file_.path(), member.name)),
      member_size_(member.size) {
  zip_.emplace(file_, member, name_);
}

std::size_t ByteSource::read_next(std::span<std::uint8_t> to) {
  if (zip_) return zip_->read_some(to);
  return gzip_ ? gzip_->read_some(to) : file_.read_some(to);
}

std::optional<std::int64_t> ByteSource::size() const {
  if (zip_) return member_size_;
  return is_compressed() ? std::nullopt : file_.size();
}

std::int64_t ByteSource::size_limit() const {
  constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kBestDeflateRatio = 1032;  // 258 bytes for 2 bits, zlib's technical notes
  if (zip_) return member_size_;
  if (!file_.size()) return kUnbounded;
  if (!is_compressed()) return *file_.size();
  return *file_.size() > kUnbounded / kBestDeflateRatio ? kUnbounded : *file_.size() * kBestDeflateRatio;
}

std::span<const std::uint8_t> ByteSource::peek(std::size_t count) {
  ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(ahead_begin_));
  ahead_begin_ = 0;
  std::size_t ready = ahead_.size();
  if (ready < count) {
    ahead_.resize(count);
    while (ready < count) {
      const std::span<std::uint8_t> rest = std::span(ahead_).subspan(ready);
      const std::size_t got = read_next(rest);
      if (got == 0) break;
      ready += got;
    }
    ahead_.resize(ready);
  }
  return {ahead_.data(), std::min(ready, count)};
}

std::size_t ByteSource::read_some(std::span<std::uint8_t> to) {
  std::size_t got = std::min(to.size(), ahead_.size() - ahead_begin_);
  if (got > 0) {
    std::memcpy(to.data(), ahead_.data() + ahead_begin_, got);
    ahead_begin_ += got;
  } else if (!to.empty()) {
    got = read_next(to);
  }
  position_ += static_cast<std::int64_t>(got);
  return got;
}

void ByteSource::read(std::span<std::uint8_t> to, std::string_view what) {
  while (!to.empty()) {
    const std::size_t got = read_some(to);
    if (got == 0) {
      fail(path(),
           "ends at {} inside {}; {} more expected. The file is truncated: download or write it again",
           place(position_), what, counted(static_cast<std::int64_t>(to.size()), "byte"));
    }
    to = to.subspan(got);
  }
}

void ByteSource::expect_end(std::string_view what) {
  const std::int64_t end = position_;
  if (!peek(1).empty()) {
    fail(path(), "has trailing bytes from {} on; expected the end after {}. The header or the file is wrong",
         place(end), what);
  }
}

std::string ByteSource::place(std::int64_t position) const {
  return fmt::format("byte {}{}", position, is_compressed() ? " of the uncompressed data" : "");
}

}  // namespace vaecuda::data
