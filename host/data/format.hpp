// Which format a file has, told from its content.
#pragma once

#include "host/data/bytes.hpp"

namespace vaecuda::data {

enum class FileFormat { idx, npy, cifar, csv };

/// Looks at the first bytes of `source`, which must stand at its start, and consumes none. \throws FileError
/// naming what the file seems to be where it is none of the formats that can be read.
[[nodiscard]] FileFormat detect_format(ByteSource& source);

}  // namespace vaecuda::data
