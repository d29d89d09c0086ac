#include "vaecuda/version.hpp"

#include "vaecuda_build.hpp"

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
#define VAECUDA_CPU_BUILD VAECUDA_COMPILER ", CPU backend with OpenBLAS"
  return build::kHasCuda ? VAECUDA_CPU_BUILD ", CUDA backend in libvaecuda_cuda.so" : VAECUDA_CPU_BUILD;
}

}  // namespace vaecuda
