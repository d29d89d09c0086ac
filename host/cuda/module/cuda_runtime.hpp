// The Runtime on a real card, over CUDA's runtime API.
#pragma once

#include <memory>

#include "host/cuda/runtime.hpp"

namespace vaecuda::cuda {

/// A runtime on cuda:index with a stream of its own that waits for no other. It may be used from any thread,
/// by one at a time; a thread that calls it has that device as its current one afterwards.
/// \throws device::Failure
[[nodiscard]] std::unique_ptr<Runtime> make_cuda_runtime(int index);

}  // namespace vaecuda::cuda
