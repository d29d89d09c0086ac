// How many steps may be queued on the device at once: enough that it never waits for the host, and so few
// that a signal, or whoever waits for a result, is answered in time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vaecuda::cuda {

class Pacing {
 public:
  /// `seconds` of work may be queued, and never more than `most` steps.
  Pacing(double seconds, std::int64_t most) : seconds_(seconds), most_(most) {}

  /// Steps that may be under way at once. It begins at one, since a step may take any time.
  [[nodiscard]] std::int64_t limit() const { return limit_; }

  /// So many steps were done `seconds` after they could begin. The limit follows, but rises at most fourfold
  /// at a time: a first short measurement may be far off.
  void observe(std::int64_t steps, double seconds) {
    const double per_step = std::max(seconds / static_cast<double>(steps), 1e-9);
    const double fits = std::min(seconds_ / per_step, 4.0 * static_cast<double>(limit_));
    limit_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(fits), 1, most_);
  }

 private:
  double seconds_;
  std::int64_t most_;
  std::int64_t limit_ = 1;
};

}  // namespace vaecuda::cuda
