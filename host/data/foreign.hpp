// Formats that are not read, told from a file's first bytes, with what to do about each.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/data/bytes.hpp"

namespace vaecuda::data {

/// So many bytes tell a format.
inline constexpr std::size_t kForeignHeadBytes = 4096;

/// "a Parquet file; export the table as .csv or .npy" for a format that is known; empty for any other. A zip
/// archive's list of members is read from the file's end. `head` are the first bytes of `source`.
[[nodiscard]] std::string foreign_format(const ByteSource& source, std::span<const std::uint8_t> head);

}  // namespace vaecuda::data
