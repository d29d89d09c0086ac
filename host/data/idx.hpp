// IDX, the format of MNIST: 00 00, a type code, the number of dimensions, their sizes (big-endian), the
// elements.
#pragma once

#include <cstdint>
#include <span>

#include "host/data/array.hpp"
#include "host/data/bytes.hpp"

namespace vaecuda::data {

/// True if a file that begins so can only be meant as IDX.
[[nodiscard]] bool is_idx(std::span<const std::uint8_t> head);

/// Reads the header and leaves `source` behind it. \throws FileError for an unknown type code, a number of
/// dimensions outside 1..8, or an early end.
[[nodiscard]] ArrayHeader read_idx_header(ByteSource& source);

}  // namespace vaecuda::data
