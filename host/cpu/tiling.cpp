#include "host/cpu/tiling.hpp"

#include <algorithm>

namespace vaecuda::cpu {
namespace {

constexpr std::int64_t kChainBatch = 512;  // from this batch size on there are enough chains of kChainRows
constexpr std::int64_t kChainRows = 128;
constexpr std::int64_t kLightRows = 32;  // rows per unit of light ops in small batches
constexpr double kLightFlops = 6e6;  // a product below this is light: one packing of W per 32 rows is cheap
constexpr std::int64_t kProductRows = 256;
constexpr std::int64_t kProductPieces = 16;  // columns of a heavy product in small batches: pieces, and their
constexpr std::int64_t kProductColumns = 64;  // least width
constexpr std::int64_t kFewestPieces = 4;  // with fewer, narrower ones or, in the end, rows keep threads busy
// Floats of a weight tile, whose gradient stays in L2, and its maximum width. Every tile in a row of tiles
// packs the left-hand operand anew, and waits for it; the right-hand one is packed during products if the
// batch is large enough. So large batches have wide tiles. Small batches are used with small models, which
// would otherwise have fewer tiles than threads.
constexpr std::int64_t kSmallBatch = 256;
constexpr std::int64_t kSmallArea = 49152;
constexpr std::int64_t kSmallWidth = 400;
constexpr std::int64_t kArea = 98304;
constexpr std::int64_t kWidth = 800;
constexpr std::int64_t kTallest = 32;  // rows of a matrix that is not split in a small batch

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}
std::int64_t round_up(std::int64_t a, std::int64_t b) {
  return divide_up(a, b) * b;
}

}  // namespace

std::int64_t row_tile(std::int64_t batch) {
  if (batch < kChainBatch) return std::min(batch, kLightRows);
  return batch < 2 * kChainBatch ? kChainRows : 2 * kChainRows;
}

std::int64_t sampled_tile(std::int64_t batch, std::int64_t samples) {
  if (samples == 1 || batch >= kChainBatch) return row_tile(batch);
  return std::min(batch, std::max<std::int64_t>(1, kLightRows / samples));
}

TileSize product_tile(std::int64_t batch, std::int64_t n, std::int64_t k) {
  const double flops = 2.0 * static_cast<double>(batch) * static_cast<double>(n) * static_cast<double>(k);
  if (batch >= kChainBatch || flops < kLightFlops) return {row_tile(batch), n};
  std::int64_t cols = std::max(kProductColumns, round_up(divide_up(n, kProductPieces), 16));
  if (divide_up(n, cols) < kFewestPieces) cols = kProductColumns / 2;
  if (divide_up(n, cols) < kFewestPieces) return {row_tile(batch), n};
  return {std::min(batch, kProductRows), cols};
}

TileSize weight_tile(std::int64_t batch, std::int64_t out, std::int64_t in) {
  const bool small = batch < kSmallBatch;
  const std::int64_t area = small ? kSmallArea : kArea;
  const std::int64_t across = out * in <= area ? 1 : divide_up(in, small ? kSmallWidth : kWidth);
  const std::int64_t cols = across == 1 ? in : round_up(divide_up(in, across), 16);
  // An even number of tiles of equal height: then two threads get equal shares of whole rows of the weights,
  // the same as in the products that read them.
  std::int64_t down = divide_up(out * cols, area + area / 8);
  if (down > 1 || (small && out >= kTallest)) down = round_up(down, 2);
  return {std::min(round_up(divide_up(out, down), 4), out), cols};
}

}  // namespace vaecuda::cpu
