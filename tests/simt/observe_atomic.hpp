// The check of one atomic operation: atomics never race with each other, only with plain accesses.
#pragma once

#include <cstddef>

namespace vaecuda::simt {

/// An atomic read and write of so many bytes (4 or 8), before it happens.
void observe_atomic(const void* address, std::size_t bytes);

}  // namespace vaecuda::simt
