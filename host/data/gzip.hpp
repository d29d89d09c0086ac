// Inflates a gzip file of one or several members, and checks every one of them to its last byte.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "host/data/raw_file.hpp"

namespace vaecuda::data {

/// True if the bytes begin as every gzip file does (1f 8b).
[[nodiscard]] bool is_gzip(std::span<const std::uint8_t> head);

class GzipDecoder {
 public:
  /// Reads from `file`, which must stand at the start of a member and outlive the decoder.
  explicit GzipDecoder(RawFile& file);
  ~GzipDecoder();
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  /// Up to to.size() inflated bytes; 0 only at the end, when the last checksum has been verified and nothing
  /// follows it. \throws FileError for damaged data, an early end, or anything behind the last member.
  std::size_t read_some(std::span<std::uint8_t> to);

 private:
  bool begin_next_member();

  struct Stream;
  RawFile& file_;
  std::unique_ptr<Stream> stream_;
  bool ended_ = false;
};

}  // namespace vaecuda::data
