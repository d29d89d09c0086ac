// The fuzzer's files and descriptors (served_files.cpp), which the system does not know.
#pragma once

#include <cstddef>

namespace vaecuda::fuzz {

/// How many are open.
[[nodiscard]] std::size_t served_descriptors();

}  // namespace vaecuda::fuzz
