// Bytes that can be read at any offset: a file on disk or a block in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "host/io/folder.hpp"

namespace vaecuda {

/// Bytes of a fixed size. const members may be called concurrently.
class SeekableBytes {
 public:
  SeekableBytes() = default;
  SeekableBytes(const SeekableBytes&) = delete;
  SeekableBytes& operator=(const SeekableBytes&) = delete;
  virtual ~SeekableBytes() = default;

  /// Name in messages: the file's path.
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Fills `to` with the bytes from `offset` on; all must be within size().
  /// \throws FileError if the system cannot read them, or if a file has become shorter meanwhile
  virtual void read(std::int64_t offset, std::span<std::byte> to) const = 0;
};

/// \throws FileError if the file is missing, unreadable, or not a regular file
[[nodiscard]] std::unique_ptr<SeekableBytes> open_bytes(const Place& place);

/// `bytes` must outlive the source.
[[nodiscard]] std::unique_ptr<SeekableBytes> bytes_in_memory(std::string name,
                                                             std::span<const std::byte> bytes);

}  // namespace vaecuda
