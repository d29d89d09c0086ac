// The batch size that a run advises when its own does not fit: against devices whose memory is known.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

#include "host/train/fitting_batch.hpp"
#include "tests/support/catch.hpp"

namespace vaecuda::test {
namespace {

std::int64_t even_row(std::int64_t batch) {
  return 5'000'000 + 4'096 * batch;
}

using Bytes = std::function<std::int64_t(std::int64_t)>;

/// Asks for advice on a device with `free` bytes, where training with a batch takes `bytes(batch)`.
struct Device {
  Bytes bytes;
  std::int64_t free = 0;
  std::int64_t most_tried = 0;

  bool fits(std::int64_t batch) const { return bytes(batch) <= free; }
  std::int64_t advice(std::int64_t asked) {
    return largest_fitting_batch(
        [this](std::int64_t batch) -> std::optional<std::int64_t> {
          if (!fits(batch)) return std::nullopt;
          most_tried = std::max(most_tried, bytes(batch));
          return bytes(batch);
        },
        free, asked);
  }
};

}  // namespace

TEST_CASE("the advised batch size fits, and one a little larger does not", "[memory]") {
  constexpr std::int64_t kAsked = std::int64_t{1} << 22;
  constexpr std::int64_t kAfterwards = std::int64_t{32} << 20;
  const Bytes even = even_row;
  // Small batches cost more a row than large ones do, or less.
  const Bytes relieved = [](std::int64_t batch) {
    return even_row(batch) + std::min<std::int64_t>(3'000 * batch, 6'000'000);
  };
  const Bytes burdened = [](std::int64_t batch) {
    return even_row(batch) + std::max<std::int64_t>(0, 3'000 * (batch - 2'000));
  };
  // What the smallest batches take hides what a row does.
  const Bytes topped = [](std::int64_t batch) { return even_row(batch) + (batch < 512 ? 4'190'000 : 0); };
  const Bytes in_steps = [](std::int64_t batch) { return 5'000'000 + (batch + 511) / 512 * 512 * 4'096; };
  for (const Bytes& bytes : {even, relieved, burdened, topped, in_steps}) {
    for (const std::int64_t free : {std::int64_t{411'000'000}, std::int64_t{9'000'000'000}}) {
      Device device{bytes, free};
      const std::int64_t advised = device.advice(kAsked);
      INFO("free " << free << ", advised " << advised);
      CHECK(bytes(advised) <= free - kAfterwards);
      CHECK(bytes(advised + advised * 5 / 100) > free - kAfterwards);
      CHECK(device.most_tried < free / 4);
    }
  }
}

TEST_CASE("the advised batch size at the borders", "[memory]") {
  const Bytes even = [](std::int64_t batch) { return 1'000'000 + 100'000 * batch; };
  Device none{even, 1'099'999};
  CHECK(none.advice(64) == 0);
  Device one{even, 1'100'000};
  CHECK(one.advice(64) == 1);
  CHECK(one.advice(2) == 1);
  // Never what was asked for, which is known not to fit.
  Device plenty{even, 1'000'000'000};
  CHECK(plenty.advice(64) == 63);
}

}  // namespace vaecuda::test
