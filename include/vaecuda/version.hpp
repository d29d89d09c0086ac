// The library's version.
#pragma once

#include "vaecuda/export.h"

namespace vaecuda {

/// "major.minor.patch" of the library that is running (not of these headers).
[[nodiscard]] VAECUDA_API const char* version() noexcept;
/// One line for --version: compiler, CUDA support, BLAS.
[[nodiscard]] VAECUDA_API const char* build_info() noexcept;

}  // namespace vaecuda
