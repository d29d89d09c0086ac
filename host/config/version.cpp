#include "vaecuda/version.hpp"

namespace vaecuda {

const char* version() noexcept {
  return VAECUDA_VERSION;
}

const char* build_info() noexcept {
#if defined(__clang__)
#define VAECUDA_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define VAECUDA_COMPILER "g++ " __VERSION__
#else
#define VAECUDA_COMPILER "unknown compiler"
#endif
  return VAECUDA_COMPILER ", CPU backend with OpenBLAS";
}

}  // namespace vaecuda
