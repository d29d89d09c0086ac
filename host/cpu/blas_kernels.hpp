// Which of OpenBLAS's kernels the matrix products use.
#pragma once

#include <string>

namespace vaecuda::cpu {

/// OpenBLAS chooses its kernels by a table of processor models, and takes its oldest ones (SSE3) for a model
/// that is newer than its release: a fifth of the speed. This makes it choose by instruction set instead,
/// once per process, and only where its own choice is such a fallback and the user has made none
/// (OPENBLAS_CORETYPE). To be called before the first product. Gives the name of the kernels in use.
std::string select_blas_kernels();

/// The kernels that a processor with these instruction sets should use instead of `chosen`, or "" to leave
/// the choice alone.
std::string better_blas_kernels(const std::string& chosen, bool avx2_fma, bool avx512);

}  // namespace vaecuda::cpu
