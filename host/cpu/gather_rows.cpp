#include "host/cpu/gather_rows.hpp"

#include <algorithm>
#include <stdexcept>

#include "kernels/math/permutation.h"

namespace vaecuda::cpu {

TileWork gather_rows(const GatherBatch& op, const Dataset* data, const RowSources& sources) {
  const std::uint8_t* bytes = nullptr;
  const float* floats = sources.addresses.matrix(op.source).data;
  if (floats == nullptr) {
    if (data == nullptr) throw std::logic_error("a plan that gathers rows was compiled without data");
    if (data->rows() != op.data_rows || data->columns() != op.x.cols || data->type() != op.type) {
      throw std::logic_error("the data set is not the one that the plan was built for");
    }
    bytes = data->u8().data();
    floats = data->f32().data();
  }
  const Loops* loops = &sources.loops;
  const ProgramMemory* memory = sources.memory;
  const Matrix<float> x = sources.addresses.matrix(op.x);
  const float* mean = sources.addresses.matrix(op.mean).data;
  const float* inverse = sources.addresses.matrix(op.inverse_deviation).data;
  return [=](const Tile& tile, float*) {
    const std::int64_t n = op.data_rows;
    std::int64_t epoch = -1;
    math::PermutationKeys keys{};
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      const std::int64_t p = memory->state.position + r;
      std::int64_t source = std::min(p - memory->state.origin, n - 1);
      if (op.order == RowOrder::shuffled) {
        if (p / n != epoch) {
          epoch = p / n;
          keys = math::permutation_keys(op.seed, math::RandomPurpose::shuffle,
                                        static_cast<std::uint64_t>(epoch));
        }
        source = static_cast<std::int64_t>(
            math::permute(keys, static_cast<std::uint64_t>(p % n), static_cast<std::uint64_t>(n)));
      }
      float* row = x.row(r);
      if (op.type == ElementType::u8) {
        loops->prepare_u8(bytes + source * op.x.cols, row, op.x.cols, op.scale, mean, inverse);
      } else {
        loops->prepare_f32(floats + source * op.x.cols, row, op.x.cols, op.scale, mean, inverse);
      }
      if (op.binarize == Binarize::threshold) loops->binarize_threshold(row, op.x.cols);
      if (op.binarize == Binarize::stochastic) {
        loops->binarize_stochastic(row, op.x.cols, random_row(memory, op.seed, op.purpose, r));
      }
    }
  };
}

}  // namespace vaecuda::cpu
