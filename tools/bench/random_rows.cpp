#include <algorithm>

#include "bench/workload.hpp"
#include "host/plan/ops.hpp"

namespace vaecuda::bench {
namespace {

/// Calls `use(i, words)` for every draw of four random words that `size` elements need, `kPerDraw` each.
template <std::int64_t kPerDraw, typename Use>
void for_each_draw(std::int64_t size, std::uint64_t seed, const Use& use) {
  for (std::int64_t first = 0; first < size; first += kPerDraw) {
    // Random numbers of training have a purpose above 0 in the high half of the block, so these are
    // different.
    const auto draw = static_cast<std::uint64_t>(first / kPerDraw);
    use(first, std::min(kPerDraw, size - first), math::philox(seed, draw >> 32, draw & 0xffffffffU));
  }
}

}  // namespace

Dataset random_rows(Values values, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  const std::int64_t size = rows * columns;
  if (values == Values::bytes) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    for_each_draw<16>(size, seed, [&](std::int64_t first, std::int64_t count, const math::Philox4& words) {
      for (std::int64_t i = 0; i < count; ++i) {
        bytes[static_cast<std::size_t>(first + i)] =
            static_cast<std::uint8_t>(words.v[i / 4] >> (8 * (i % 4)) & 0xffU);
      }
    });
    return {std::move(bytes), rows, columns};
  }
  std::vector<float> floats(static_cast<std::size_t>(size));
  if (values == Values::bits) {
    for_each_draw<128>(size, seed, [&](std::int64_t first, std::int64_t count, const math::Philox4& words) {
      for (std::int64_t i = 0; i < count; ++i) {
        floats[static_cast<std::size_t>(first + i)] = static_cast<float>(words.v[i / 32] >> (i % 32) & 1U);
      }
    });
  } else {
    for_each_draw<4>(size, seed, [&](std::int64_t first, std::int64_t count, const math::Philox4& words) {
      const math::NormalPair a = math::normal_pair(words.v[0], words.v[1]);
      const math::NormalPair b = math::normal_pair(words.v[2], words.v[3]);
      const float normals[] = {a.first, a.second, b.first, b.second};
      std::copy_n(normals, count, floats.begin() + first);
    });
  }
  return {std::move(floats), rows, columns};
}

}  // namespace vaecuda::bench
