// A file's content, or that of a zip archive's member, as a stream of bytes with exact positions, inflated on
// the way where it is compressed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/gzip.hpp"
#include "host/data/raw_file.hpp"
#include "host/data/zip.hpp"

namespace vaecuda::data {

/// Gzip is recognized by its first bytes, never by the file's name. Memory: two small buffers, whatever the
/// file holds; the content goes straight to the reader's own buffer.
class ByteSource {
 public:
  /// \throws FileError if the file cannot be opened, is a folder, or has no content.
  explicit ByteSource(std::string path);
  /// The content of a member of the zip archive at `path`. \throws FileError
  ByteSource(std::string path, const ZipMember& member);

  /// Of a zip archive's member with the member's name behind it.
  [[nodiscard]] const std::string& path() const { return name_; }
  [[nodiscard]] bool is_compressed() const { return gzip_.has_value() || zip_.has_value(); }
  /// False for a pipe and the like, which can be read once and may let wait.
  [[nodiscard]] bool is_regular() const { return file_.size().has_value(); }
  /// Content bytes read so far.
  [[nodiscard]] std::int64_t position() const { return position_; }
  /// Size of the content; unknown for gzip and for a pipe. Of a zip archive's member the size that its
  /// directory says.
  [[nodiscard]] std::optional<std::int64_t> size() const;
  /// What the content cannot exceed: its size, for gzip what deflate's best ratio allows; unbounded for a
  /// pipe.
  [[nodiscard]] std::int64_t size_limit() const;

  /// The next `count` bytes (fewer at the end of the content) without consuming them; valid until the next
  /// call.
  std::span<const std::uint8_t> peek(std::size_t count);
  /// Up to to.size() bytes; 0 only at the end of the content, which for gzip is verified by then.
  std::size_t read_some(std::span<std::uint8_t> to);
  /// Exactly to.size() bytes. \throws FileError naming `what` if the content ends before.
  void read(std::span<std::uint8_t> to, std::string_view what);
  /// \throws FileError if content follows; `what` names that which should have been the last.
  void expect_end(std::string_view what);

  /// "byte 16", for gzip "byte 16 of the uncompressed data".
  [[nodiscard]] std::string place(std::int64_t position) const;

 private:
  /// As read_some, of what the file or its decoder gives next.
  std::size_t read_next(std::span<std::uint8_t> to);

  RawFile file_;
  std::string name_;
  std::optional<GzipDecoder> gzip_;
  std::optional<ZipDecoder> zip_;
  std::int64_t member_size_ = 0;
  std::int64_t position_ = 0;
  std::vector<std::uint8_t> ahead_;  // peeked and not yet consumed, from ahead_begin_ on
  std::size_t ahead_begin_ = 0;
};

}  // namespace vaecuda::data
