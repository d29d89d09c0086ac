// How the work of a step is cut into units. The cuts are a function of shapes alone, never of the number of
// threads: a tile's size decides which of OpenBLAS's code paths computes it, and so its last bits.
#pragma once

#include <cstdint>

namespace vaecuda::cpu {

struct TileSize {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// Rows of a batch that one unit takes through all row-wise ops of a step. Batches of 512 rows and more are
/// cut into chains of 128 rows (1,024 and more: of 256), whose activations stay in cache from op to op.
[[nodiscard]] std::int64_t row_tile(std::int64_t batch);

/// Rows of a unit of an op that takes `samples` samples of each row of a batch: one sample is as much work as
/// another op's row.
[[nodiscard]] std::int64_t sampled_tile(std::int64_t batch, std::int64_t samples);

/// Tile of a matrix product's output (batch, n) with inner size k. `cols` below n only where row_tile alone
/// would leave too few units.
[[nodiscard]] TileSize product_tile(std::int64_t batch, std::int64_t n, std::int64_t k);

/// Tile of a weight gradient (out, in) over `batch` rows.
[[nodiscard]] TileSize weight_tile(std::int64_t batch, std::int64_t out, std::int64_t in);

}  // namespace vaecuda::cpu
