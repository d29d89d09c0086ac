// Loading a file that is open already.
#pragma once

#include "host/data/bytes.hpp"
#include "host/data/format.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// As load_dataset of the file at source.path, whose content `bytes` has and stands at the start of.
[[nodiscard]] Dataset load_opened(const DataSource& source, ByteSource& bytes, const Format& format);

}  // namespace vaecuda::data
