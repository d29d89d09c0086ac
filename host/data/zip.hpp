// Zip archives: the directory at their end, and one member's content as a stream, each checked as it is read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/data/raw_file.hpp"

namespace vaecuda::data {

/// What the directory says of a member. Sizes are possible ones: what is packed lies within the file, and
/// deflate can have made it of so much.
struct ZipMember {
  std::string name;
  bool is_deflated = false;  ///< else stored
  std::uint32_t checksum = 0;
  std::int64_t packed = 0;  ///< bytes in the file
  std::int64_t size = 0;    ///< bytes of content
  std::int64_t header = 0;  ///< where the member's own header begins in the file
};

/// True if the bytes begin as an archive with members does.
[[nodiscard]] bool is_zip(std::span<const std::uint8_t> head);

/// All members, with ZIP64's sizes where it has them. The file, which must not be a pipe, is left anywhere.
/// \throws FileError for a directory that is missing, damaged or larger than 16 MiB, and for members that are
/// encrypted or packed by another method than deflate
[[nodiscard]] std::vector<ZipMember> read_zip_directory(RawFile& file);

/// The content of a member.
class ZipDecoder {
 public:
  /// Moves `file` to the member; it must outlive the decoder and be read by nobody else. `name` is what
  /// messages call the member. \throws FileError where its header is not in place
  ZipDecoder(RawFile& file, const ZipMember& member, std::string name);
  ~ZipDecoder();
  ZipDecoder(const ZipDecoder&) = delete;
  ZipDecoder& operator=(const ZipDecoder&) = delete;

  /// Up to to.size() bytes; 0 only at the end, when size and checksum have been verified. \throws FileError
  std::size_t read_some(std::span<std::uint8_t> to);

 private:
  std::size_t read_stored(std::span<std::uint8_t> to);
  std::size_t inflate_some(std::span<std::uint8_t> to);
  [[noreturn]] void damaged(const char* why) const;

  struct Stream;
  RawFile& file_;
  std::string name_;
  std::int64_t packed_left_;
  std::int64_t left_;
  std::uint32_t expected_checksum_;
  std::uint32_t checksum_ = 0;
  std::unique_ptr<Stream> stream_;  ///< null for a stored member
  bool ended_ = false;
};

}  // namespace vaecuda::data
