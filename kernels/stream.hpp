// The stream that a launcher is given: CUDA's own type, without CUDA's headers.
#pragma once

struct CUstream_st;

namespace vaecuda::kernels {

using Stream = CUstream_st*;

}  // namespace vaecuda::kernels
