#include "host/train/fitting_batch.hpp"

#include <algorithm>
#include <utility>

namespace vaecuda {
namespace {

/// A batch size that was seen to fit, and what it takes.
struct Tried {
  std::int64_t batch = 0;
  std::int64_t bytes = 0;
};

/// The batch whose memory would be `room` if it grew as from `a` to `b`.
std::int64_t extrapolate(const Tried& a, const Tried& b, double room) {
  const double per_row =
      std::max(1.0, static_cast<double>(b.bytes - a.bytes) / static_cast<double>(b.batch - a.batch));
  const double rows = static_cast<double>(b.batch) + (room - static_cast<double>(b.bytes)) / per_row;
  return static_cast<std::int64_t>(std::clamp(rows, 1.0, 1e15));
}

}  // namespace

std::int64_t largest_fitting_batch(const std::function<std::optional<std::int64_t>(std::int64_t)>& bytes_of,
                                   std::int64_t free_bytes, std::int64_t asked) {
  constexpr std::int64_t kSecond = 1024;
  // What is free can shrink until the next start, and rows are laid on boundaries.
  constexpr double kUsed = 0.97;
  // Pictures and the report, drawn when all buffers of the training are still there.
  constexpr double kAfterwards = 32 << 20;
  const auto bytes = [&](std::int64_t batch) -> std::optional<Tried> {
    if (const std::optional<std::int64_t> taken = bytes_of(batch)) return Tried{batch, *taken};
    return std::nullopt;
  };
  const std::optional<Tried> one = bytes(1);
  if (!one) return 0;
  std::optional<Tried> high;
  std::int64_t second = std::min(kSecond, asked - 1);
  while (second > 1 && !(high = bytes(second))) second /= 2;
  if (second <= 1 || !high) return 1;
  const double room = kUsed * static_cast<double>(free_bytes) - kAfterwards;
  // The smallest batches have buffers that larger ones do without, or have them of another kind: twice as
  // many rows, until a tenth of what is free is taken.
  Tried low = *one;
  while (high->batch < asked / 2) {
    const std::optional<Tried> next = bytes(2 * high->batch);
    if (!next) break;
    low = *std::exchange(high, next);
    if (high->bytes - one->bytes > free_bytes / 10) break;
  }
  return std::clamp(extrapolate(low, *high, room), std::int64_t{1}, asked - 1);
}

}  // namespace vaecuda
