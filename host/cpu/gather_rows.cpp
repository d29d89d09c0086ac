#include "host/cpu/gather_rows.hpp"

#include <algorithm>
#include <stdexcept>

#include "host/data/sparse.hpp"
#include "kernels/math/permutation.h"

namespace vaecuda::cpu {
namespace {

/// The labels of a data set as numbers.
struct ConditionRows {
  const std::int32_t* classes;  ///< per row, or null:
  const float* vectors;         ///< `size` per row
  std::int64_t size;
  void write(std::int64_t row, float* out) const {
    if (classes == nullptr) {
      std::copy_n(vectors + row * size, size, out);
    } else {
      for (std::int64_t c = 0; c < size; ++c) out[c] = c == classes[row] ? 1.0f : 0.0f;
    }
  }
};

/// \throws std::logic_error if neither the op nor `data` has the labels.
ConditionRows conditions_of(const GatherBatch& op, const Dataset* data, const RowSources& sources) {
  const std::int64_t size = op.condition.cols;
  if (!op.condition.valid() || op.condition_source.valid()) {
    return {nullptr, sources.addresses.matrix(op.condition_source).data, size};
  }
  const bool fits =
      data != nullptr && (op.label_vectors ? data->label_vector_size() == size : !data->labels().empty());
  if (!fits) throw std::logic_error("the data set has not the labels that the plan was built for");
  return {op.label_vectors ? nullptr : data->labels().data(), data->label_vectors().data(), size};
}

/// Prefetches a row that will be read soon: hardware prefetchers cannot predict shuffled rows.
template <typename Element>
void fetch_row(const Element* row, std::int64_t count) {
  constexpr std::int64_t kLine = 64 / sizeof(Element);
  constexpr std::int64_t kMost = 4096 / sizeof(Element);  // further on, hardware has detected the pattern
  for (std::int64_t at = 0; at < std::min(count, kMost); at += kLine) __builtin_prefetch(row + at);
}

/// The rows that a batch is made of, in any of their types.
class RawRows {
 public:
  /// `floats`: (N,D) in place of a data set, or null. \throws std::logic_error if there is neither, or the
  /// data set is not the one of the plan
  RawRows(const GatherBatch& op, const Dataset* data, const float* floats, const Loops& loops)
      : type_(op.type), columns_(op.x.cols), floats_(floats), loops_(&loops) {
    if (floats != nullptr) return;
    if (data == nullptr) throw std::logic_error("a plan that gathers rows was compiled without data");
    if (data->rows() != op.data_rows || data->columns() != op.x.cols || data->type() != op.type) {
      throw std::logic_error("the data set is not the one that the plan was built for");
    }
    bytes_ = data->u8().data();
    floats_ = data->f32().data();
    sparse_ = &data->sparse();
  }

  void fetch(std::int64_t row) const {
    switch (type_) {
      case ElementType::u8:
        return fetch_row(bytes_ + row * columns_, columns_);
      case ElementType::f32:
        return fetch_row(floats_ + row * columns_, columns_);
      case ElementType::sparse:
        break;
    }
    const auto r = static_cast<std::size_t>(row);
    const std::int64_t first = sparse_->row_begin()[r];
    const std::int64_t count = sparse_->row_begin()[r + 1] - first;
    data::with_arrays(*sparse_, [&](auto indices, auto values) {
      fetch_row(indices.data() + first, count);
      fetch_row(values.data() + first, count);
    });
  }

  /// x[i] = (raw[i]·scale − mean[i])·inverse[i], the last two null together.
  void prepare(std::int64_t row, float* x, float scale, const float* mean, const float* inverse) const {
    switch (type_) {
      case ElementType::u8:
        return loops_->prepare_u8(bytes_ + row * columns_, x, columns_, scale, mean, inverse);
      case ElementType::f32:
        return loops_->prepare_f32(floats_ + row * columns_, x, columns_, scale, mean, inverse);
      case ElementType::sparse:
        break;
    }
    sparse_->copy_row(row, {x, static_cast<std::size_t>(columns_)});
    // By the loop of dense rows, so that both give the same bits.
    if (scale != 1.0f || mean != nullptr) loops_->prepare_f32(x, x, columns_, scale, mean, inverse);
  }

 private:
  ElementType type_;
  std::int64_t columns_;
  const std::uint8_t* bytes_ = nullptr;
  const float* floats_;
  const SparseRows* sparse_ = nullptr;
  const Loops* loops_;
};

}  // namespace

TileWork gather_rows(const GatherBatch& op, const Dataset* data, const RowSources& sources) {
  const RawRows rows(op, data, sources.addresses.matrix(op.source).data, sources.loops);
  const Loops* loops = &sources.loops;
  const ProgramMemory* memory = sources.memory;
  const Matrix<float> x = sources.addresses.matrix(op.x);
  const float* mean = sources.addresses.matrix(op.mean).data;
  const float* inverse = sources.addresses.matrix(op.inverse_deviation).data;
  const Matrix<float> condition = sources.addresses.matrix(op.condition);
  const Matrix<float> decoder_condition = sources.addresses.matrix(op.decoder_condition);
  const ConditionRows conditions = conditions_of(op, data, sources);
  const std::int64_t samples = op.decoder_condition.valid() ? op.decoder_condition.rows / op.x.rows : 0;
  return [=](const Tile& tile, float*) {
    const std::int64_t n = op.data_rows;
    std::int64_t epoch = -1;
    math::PermutationKeys keys{};
    const auto source_of = [&](std::int64_t r) {
      const std::int64_t p = memory->state.position + r;
      if (op.order != RowOrder::shuffled) return std::min(p - memory->state.origin, n - 1);
      if (p / n != epoch) {
        epoch = p / n;
        keys =
            math::permutation_keys(op.seed, math::RandomPurpose::shuffle, static_cast<std::uint64_t>(epoch));
      }
      return static_cast<std::int64_t>(
          math::permute(keys, static_cast<std::uint64_t>(p % n), static_cast<std::uint64_t>(n)));
    };
    std::int64_t next = source_of(tile.row_begin);
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      const std::int64_t source = next;
      if (r + 1 < tile.row_end) {
        next = source_of(r + 1);
        rows.fetch(next);
      }
      float* row = x.row(r);
      rows.prepare(source, row, op.scale, mean, inverse);
      if (op.binarize == Binarize::threshold) loops->binarize_threshold(row, op.x.cols);
      if (op.binarize == Binarize::stochastic) {
        loops->binarize_stochastic(row, op.x.cols, random_row(memory, op.seed, op.purpose, r));
      }
      if (condition.data == nullptr) continue;
      conditions.write(source, condition.row(r));
      for (std::int64_t k = 0; k < samples; ++k) {
        std::copy_n(condition.row(r), conditions.size, decoder_condition.row(r * samples + k));
      }
    }
  };
}

TileWork transform_rows(const TransformInput& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> x = sources.addresses.input(op.x);
  const Matrix<float> out = sources.addresses.matrix(op.out);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r)
      loops->transform_row(op.kind, x.row(r), out.row(r), op.x.cols);
  };
}

}  // namespace vaecuda::cpu
