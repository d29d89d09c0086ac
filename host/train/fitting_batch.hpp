// The largest batch size that a device has the memory for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace vaecuda {

/// `bytes_of(batch)`: what training with this batch size allocates, or empty where it does not fit.
/// `free_bytes`: what there is before anything is allocated. `asked` is known not to fit. A few small batches
/// tell the rest, for memory grows evenly with the batch once it is not tiny; none of them takes more than
/// about an eighth of what is free. The answer leaves 3 per cent, and room for what comes after the training.
/// 0 where not even a batch of one row fits.
[[nodiscard]] std::int64_t largest_fitting_batch(
    const std::function<std::optional<std::int64_t>(std::int64_t)>& bytes_of, std::int64_t free_bytes,
    std::int64_t asked);

}  // namespace vaecuda
