// Division of the work of a step into units. It depends only on shapes, never on the number of threads: the
// size of a tile decides which code path of OpenBLAS computes it, and so its last bits.
#pragma once

#include <cstdint>

namespace vaecuda::cpu {

struct TileSize {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// Rows of a batch on which one unit runs all row-wise ops of a step. Batches of 512 rows and more are split
/// into chains of 128 rows (1,024 and more: of 256), whose activations stay in cache from op to op.
[[nodiscard]] std::int64_t row_tile(std::int64_t batch);

/// Rows per unit of an op with `samples` samples per row of a batch: one sample is as much work as a row of
/// other ops.
[[nodiscard]] std::int64_t sampled_tile(std::int64_t batch, std::int64_t samples);

/// Tile of a matrix product's output (batch, n) with inner size k. `cols` is below n only if row_tile alone
/// would give too few units.
[[nodiscard]] TileSize product_tile(std::int64_t batch, std::int64_t n, std::int64_t k);

/// Tile of a weight gradient (out, in) over `batch` rows.
[[nodiscard]] TileSize weight_tile(std::int64_t batch, std::int64_t out, std::int64_t in);

}  // namespace vaecuda::cpu
