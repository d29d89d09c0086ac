// The elements of an array in a file, one after the other.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/data/bytes.hpp"
#include "host/data/scalar.hpp"

namespace vaecuda::data {

/// Compares what a header promises, `payload` bytes from where `source` stands, with what the file can hold,
/// before any memory is asked for. \throws FileError
void check_payload(const ByteSource& source, std::int64_t payload);

/// Calls sink(index, value) for the next `count` elements.
template <class T, class Sink>
void for_each_element(ByteSource& source, std::int64_t count, std::endian order, Sink&& sink) {
  constexpr std::size_t kChunkBytes = 256 * 1024;
  constexpr std::int64_t kPiece = static_cast<std::int64_t>(kChunkBytes / sizeof(T));
  const bool swap = order != std::endian::native && sizeof(T) > 1;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::min(kPiece, count)) * sizeof(T));
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t piece = std::min(kPiece, count - done);
    const std::span<std::uint8_t> part = std::span(bytes).first(static_cast<std::size_t>(piece) * sizeof(T));
    source.read(part, "the array");
    for (std::int64_t i = 0; i < piece; ++i) sink(done + i, decode<T>(part.data() + i * sizeof(T), swap));
    done += piece;
  }
}

}  // namespace vaecuda::data
