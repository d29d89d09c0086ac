// The macros of the formulas: code that runs on the device and on the host.
#pragma once

// Always inlined: the CPU backend compiles its loops for several instruction sets, and an out-of-line copy
// made for one of them must never be linked into the others.
#if defined(__CUDACC__)
#define VAECUDA_HD __host__ __device__ __forceinline__
#else
#define VAECUDA_HD inline __attribute__((always_inline))
#endif

// In front of a template that calls what it is given: a host callable on the host, a device callable on the
// device. nvcc would refuse both for the sake of the side that never happens.
#if defined(__CUDACC__)
#define VAECUDA_HD_EITHER _Pragma("nv_exec_check_disable")
#else
#define VAECUDA_HD_EITHER
#endif
