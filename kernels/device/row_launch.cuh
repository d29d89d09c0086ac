// How a kernel that walks rows in quads of columns is laid over threads: few threads for short rows, so that
// lanes do not idle, a whole block for long ones, so that a small batch still fills the device.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/device/reduce.cuh"

namespace vaecuda::device {

/// kThreads threads a row in blocks of kBlock threads, or of one row where it has more.
template <int kThreads, int kBlock>
using RowBlock = RowGroup<kThreads, (kThreads < kBlock ? kBlock / kThreads : 1)>;

/// Calls `use` with std::integral_constant of the threads that a row of `columns` gets: the fewest of 8, 32,
/// 64 and 256 that hold the row in kQuads quads each, or else 256.
template <int kQuads, typename Use>
void with_threads_per_row(std::int64_t columns, Use&& use) {
  const std::int64_t threads = (columns + 4 * kQuads - 1) / (4 * kQuads);
  if (threads <= 8) {
    use(std::integral_constant<int, 8>{});
  } else if (threads <= 32) {
    use(std::integral_constant<int, 32>{});
  } else if (threads <= 64) {
    use(std::integral_constant<int, 64>{});
  } else {
    use(std::integral_constant<int, 256>{});
  }
}

}  // namespace vaecuda::device
