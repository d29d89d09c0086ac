#include "host/train/fitting_batch.hpp"

#include <algorithm>
#include <cmath>

namespace vaecuda {

std::int64_t largest_fitting_batch(const std::function<std::optional<std::int64_t>(std::int64_t)>& bytes_of,
                                   std::int64_t free_bytes, std::int64_t asked) {
  constexpr std::int64_t kSecond = 1024;
  constexpr double kUsed =
      0.97;  // what is free can shrink until the next start, and rows are laid on boundaries
  const std::optional<std::int64_t> one = bytes_of(1);
  if (!one) return 0;
  // The second size tells the slope; where it does not fit, a smaller one does.
  std::int64_t second = std::min(kSecond, asked - 1);
  std::optional<std::int64_t> bytes;
  while (second > 1 && !(bytes = bytes_of(second))) second /= 2;
  if (second <= 1 || !bytes) return 1;
  const double per_row = std::max(1.0, static_cast<double>(*bytes - *one) / static_cast<double>(second - 1));
  const double room = kUsed * static_cast<double>(free_bytes) - static_cast<double>(*one);
  const double rows = std::min(1.0 + room / per_row, static_cast<double>(asked - 1));
  return std::max(second, static_cast<std::int64_t>(std::floor(rows)));
}

}  // namespace vaecuda
