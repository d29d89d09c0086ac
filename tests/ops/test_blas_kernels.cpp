// The choice of OpenBLAS's kernels by instruction set.
#include <cstdlib>

#include "host/cpu/blas_kernels.hpp"
#include "host/plan/backend.hpp"
#include "support/catch.hpp"

using namespace vaecuda;

TEST_CASE("only a fallback on a newer processor is replaced", "[blas]") {
  CHECK(cpu::better_blas_kernels("Prescott", true, true) == "SkylakeX");
  CHECK(cpu::better_blas_kernels("Prescott", true, false) == "Haswell");
  CHECK(cpu::better_blas_kernels("Nehalem", true, false) == "Haswell");
  // A processor without AVX2 has no better kernels, and a real choice is left alone.
  CHECK(cpu::better_blas_kernels("Prescott", false, false).empty());
  for (const char* chosen : {"Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids", "Sandybridge"}) {
    CHECK(cpu::better_blas_kernels(chosen, true, true).empty());
  }
}

#if defined(__x86_64__)
TEST_CASE("this processor does not run on a fallback", "[blas]") {
  const bool asked = std::getenv("OPENBLAS_CORETYPE") != nullptr;
  const auto backend = make_cpu_backend(1);
  const std::string kernels = cpu::select_blas_kernels();
  INFO(kernels);
  const bool avx2_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
  if (!asked) {
    CHECK(cpu::better_blas_kernels(kernels, avx2_fma, avx512).empty());
    CHECK(std::getenv("OPENBLAS_CORETYPE") == nullptr);  // the variable was lent, not left
  }
}
#endif
