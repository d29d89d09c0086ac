// .npy, NumPy's format, versions 1.0 to 3.0: a magic, a Python dictionary as text, the elements.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/data/array.hpp"
#include "host/data/bytes.hpp"

namespace vaecuda::data {

struct Format;

[[nodiscard]] bool is_npy(std::span<const std::uint8_t> head);

/// Reads the header and leaves `source` behind it. \throws FileError for what is not a C-ordered,
/// little-endian array of plain numbers.
[[nodiscard]] ArrayHeader read_npy_header(ByteSource& source);

/// The one text of an array without dimensions, of ASCII letters, as scipy.sparse.save_npz writes the name of
/// a matrix's format. \throws FileError for any other array
[[nodiscard]] std::string read_npy_text(ByteSource& source);

extern const Format kNpyFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
