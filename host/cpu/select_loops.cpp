#include "host/cpu/loops.hpp"

namespace vaecuda::cpu {

const Loops& select_loops() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) return v3::table();
#endif
  return baseline::table();
}

}  // namespace vaecuda::cpu
