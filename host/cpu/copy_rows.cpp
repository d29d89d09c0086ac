#include "host/cpu/copy_rows.hpp"

#include <algorithm>

namespace vaecuda::cpu {

TileWork store_rows(const StoreRows& op, const RowSources& sources) {
  const ProgramMemory* memory = sources.memory;
  const Matrix<const float> batch = sources.addresses.input(op.batch);
  const Matrix<float> whole = sources.addresses.matrix(op.whole);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      const std::int64_t to = memory->state.position - memory->state.origin + r;
      if (to < op.whole.rows) std::copy_n(batch.row(r), op.batch.cols, whole.row(to));
    }
  };
}

TileWork load_rows(const LoadRows& op, const RowSources& sources) {
  const ProgramMemory* memory = sources.memory;
  const Matrix<const float> whole = sources.addresses.input(op.whole);
  const Matrix<float> batch = sources.addresses.matrix(op.batch);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      const std::int64_t wanted = memory->state.position - memory->state.origin + r;
      std::copy_n(whole.row(std::min(wanted, op.whole.rows - 1)), op.batch.cols, batch.row(r));
    }
  };
}

}  // namespace vaecuda::cpu
