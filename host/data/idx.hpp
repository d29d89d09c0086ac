// IDX, the format of MNIST: 00 00, a type code, the number of dimensions, their sizes (big-endian), the
// elements.
#pragma once

#include <cstdint>
#include <span>

#include "host/data/array.hpp"
#include "host/data/bytes.hpp"

namespace vaecuda::data {

struct Format;

/// True if a file that begins so can only be meant as IDX.
[[nodiscard]] bool is_idx(std::span<const std::uint8_t> head);

/// True where the file is exactly as long as its header says, which no other file is by chance. `head` are
/// its first bytes.
[[nodiscard]] bool is_whole_idx(const ByteSource& source, std::span<const std::uint8_t> head);

/// Reads the header and leaves `source` behind it. \throws FileError for an unknown type code, a number of
/// dimensions outside 1..8, or an early end.
[[nodiscard]] ArrayHeader read_idx_header(ByteSource& source);

extern const Format kIdxFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
