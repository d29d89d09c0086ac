// The largest batch size that a device has the memory for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace vaecuda {

/// `bytes_of(batch)`: what training with this batch size allocates, or empty where it does not fit.
/// `free_bytes`: what there is before anything is allocated. Memory grows evenly with the batch, so two small
/// sizes tell the rest; the answer leaves a little room and is below `asked`. 0 where not even a batch of one
/// row fits.
[[nodiscard]] std::int64_t largest_fitting_batch(
    const std::function<std::optional<std::int64_t>(std::int64_t)>& bytes_of, std::int64_t free_bytes,
    std::int64_t asked);

}  // namespace vaecuda
