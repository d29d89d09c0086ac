#include "host/cpu/blas_kernels.hpp"

#include <cblas.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

// OpenBLAS's own start-up, where it was built for several processors. Not in its headers; stable since 2011.
#if defined(VAECUDA_OPENBLAS_DYNAMIC_ARCH)
extern "C" {
void gotoblas_dynamic_init(void);  // reads OPENBLAS_CORETYPE; does nothing if kernels are chosen already
void gotoblas_dynamic_quit(void);  // forgets the choice
}
#endif

namespace vaecuda::cpu {
namespace {

// Kernels of processors that had neither AVX2 nor FMA: on a processor that has them they are a fallback.
constexpr const char* kFallbacks[] = {"Prescott",  "Core2",  "Penryn",  "Dunnington",
                                      "Nehalem",   "Atom",   "Opteron", "Opteron_SSE3",
                                      "Barcelona", "Bobcat", "Generic", "Katmai"};

#if defined(VAECUDA_OPENBLAS_DYNAMIC_ARCH)
void choose(const std::string& kernels) {
  // The one way in that every version has. The variable is gone again before this returns.
  setenv("OPENBLAS_CORETYPE", kernels.c_str(), 0);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv("OPENBLAS_CORETYPE");
}
#endif

}  // namespace

std::string better_blas_kernels(const std::string& chosen, bool avx2_fma, bool avx512) {
  const bool fallback = std::any_of(std::begin(kFallbacks), std::end(kFallbacks),
                                    [&](const char* name) { return chosen == name; });
  if (!fallback || !avx2_fma) return "";
  return avx512 ? "SkylakeX" : "Haswell";
}

std::string select_blas_kernels() {
#if defined(VAECUDA_OPENBLAS_DYNAMIC_ARCH)
  static std::once_flag once;
  std::call_once(once, [] {
    if (std::getenv("OPENBLAS_CORETYPE") != nullptr) return;
    const bool avx2_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512cd");
    const std::string better = better_blas_kernels(openblas_get_corename(), avx2_fma, avx512);
    if (!better.empty()) choose(better);
  });
#endif
  return openblas_get_corename();
}

}  // namespace vaecuda::cpu
