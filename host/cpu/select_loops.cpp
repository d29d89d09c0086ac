#include "host/cpu/loops.hpp"

namespace vaecuda::cpu {

std::vector<const Loops*> supported_loops() {
  std::vector<const Loops*> all;
#if defined(__x86_64__)
  const bool v3 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool v4 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                  __builtin_cpu_supports("avx512cd") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                  __builtin_cpu_supports("avx512vl") != 0;
  if (v3 && v4) all.push_back(&v4::table());
  if (v3) all.push_back(&v3::table());
#endif
  all.push_back(&baseline::table());
  return all;
}

const Loops& select_loops() {
  return *supported_loops().front();
}

}  // namespace vaecuda::cpu
