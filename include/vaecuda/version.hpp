// The library's version.
#pragma once

namespace vaecuda {

/// "major.minor.patch" of the library that is running (not of these headers).
[[nodiscard]] const char* version() noexcept;
/// One line for --version: compiler, CUDA support, BLAS.
[[nodiscard]] const char* build_info() noexcept;

}  // namespace vaecuda
