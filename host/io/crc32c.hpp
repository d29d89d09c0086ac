// CRC-32C (Castagnoli), the checksum of TFRecord frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vaecuda {

/// The CRC-32C of the bytes: polynomial 0x1EDC6F41, reflected, initial value and final XOR of all ones.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace vaecuda
