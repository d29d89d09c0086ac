// The one macro of the formulas: code that runs on the device and on the host.
#pragma once

// Always inlined: the CPU backend compiles its loops for several instruction sets, and an out-of-line copy
// made for one of them must never be linked into the others.
#if defined(__CUDACC__)
#define VAECUDA_HD __host__ __device__ __forceinline__
#else
#define VAECUDA_HD inline __attribute__((always_inline))
#endif
