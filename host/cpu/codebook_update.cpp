#include "host/cpu/codebook_update.hpp"

#include <algorithm>

#include "host/cpu/updater.hpp"
#include "kernels/math/codebook.h"

namespace vaecuda::cpu {
namespace {

/// The rows of one batch by code, for the codebook of a unit.
class BatchUse {
 public:
  BatchUse(const CodebookBatch& op, const Addresses& addresses)
      : shape_(op.codebook),
        rows_(op.latent.rows),
        latent_(addresses.input(op.latent)),
        codes_(addresses.input(op.codes)),
        counts_(addresses.matrix(op.counts)),
        perplexity_(addresses.matrix(op.perplexity)) {}

  [[nodiscard]] const CodebookParameters& shape() const { return shape_; }
  [[nodiscard]] const float* counts(std::int64_t group) const { return counts_.row(group); }
  [[nodiscard]] const float* latent(std::int64_t row, std::int64_t group) const {
    return latent_.row(row) + group * shape_.width;
  }
  [[nodiscard]] std::int64_t rows() const { return rows_; }

  /// Counts the rows of every code, and calls `add` to add each row to the sums (M,L) of its code k.
  template <typename Add>
  void sum(std::int64_t group, float* sums, const Add& add) const {
    float* counts = counts_.row(group);
    std::fill_n(counts, shape_.size, 0.0f);
    std::fill_n(sums, shape_.size * shape_.width, 0.0f);
    for (std::int64_t r = 0; r < rows_; ++r) {
      const std::int64_t k = math::code_index(codes_.row(r)[group], shape_.size);
      counts[k] += 1.0f;
      add(k, latent(r, group), sums + k * shape_.width);
    }
    double total = 0.0;
    for (std::int64_t k = 0; k < shape_.size; ++k) {
      total += math::count_times_log(static_cast<double>(counts[k]));
    }
    *perplexity_.row(group) = static_cast<float>(math::perplexity_of(total, static_cast<double>(rows_)));
  }

 private:
  CodebookParameters shape_;
  std::int64_t rows_;
  Matrix<const float> latent_;
  Matrix<const float> codes_;
  Matrix<float> counts_;
  Matrix<float> perplexity_;
};

Piece gradient_piece(const CodebookMoveInputs& inputs, std::size_t index, const CodebookGradient& op) {
  ProgramMemory* memory = &inputs.memory;
  const BatchUse use(op.batch, inputs.addresses);
  const float* codebooks = inputs.in.parameters.parameters.data() + op.batch.codebook.codes;
  const Loops* loops = &inputs.in.loops;
  const Updater update(inputs.in, inputs.memory, inputs.adam);
  const bool clips = inputs.clips;
  return {index, [=](const Tile& tile, float* scratch) {
            if (memory->state.fault != 0) return;
            const CodebookParameters& shape = use.shape();
            const std::int64_t group = tile.row_begin;
            const std::int64_t elements = shape.size * shape.width;
            const std::int64_t first = shape.codes + group * elements;
            const float* codebook = codebooks + group * elements;
            float* gradient = clips ? memory->gradients.data() + first : scratch;
            use.sum(group, gradient, [&](std::int64_t k, const float* z, float* sum) {
              const float* code = codebook + k * shape.width;
              for (std::int64_t c = 0; c < shape.width; ++c) sum[c] += math::code_gradient(z[c], code[c]);
            });
            for (std::int64_t i = 0; i < elements; ++i) gradient[i] *= op.scale;
            memory->tile_squares[static_cast<std::size_t>(tile.slot)] =
                clips ? loops->sum_of_squares(gradient, elements) : update(first, gradient, elements);
          }};
}

Piece average_piece(const CodebookMoveInputs& inputs, std::size_t index, const CodebookAverage& op) {
  ProgramMemory* memory = &inputs.memory;
  CpuParameters* store = &inputs.in.parameters;
  const BatchUse use(op.batch, inputs.addresses);
  const Matrix<float> averages = inputs.addresses.matrix(op.averages);
  const math::CodebookAverages<float> rule = op.rule;
  const std::uint64_t seed = op.seed;
  return {index, [=](const Tile& tile, float* batch_sums) {
            if (memory->state.fault != 0) return;
            const CodebookParameters& shape = use.shape();
            const std::int64_t group = tile.row_begin;
            const std::int64_t first = shape.codes + group * shape.size * shape.width;
            float* codebook = store->parameters.data() + first;
            float* sums = store->moment1.data() + first;
            float* used = store->moment2.data() + first;
            float* average = averages.row(group);
            use.sum(group, batch_sums, [&](std::int64_t, const float* z, float* sum) {
              for (std::int64_t c = 0; c < shape.width; ++c) sum[c] += z[c];
            });
            const bool first_step = memory->state.step == 0;
            double total = 0.0;
            for (std::int64_t k = 0; k < shape.size; ++k) {
              const float before = first_step ? rule.fair_count : used[k * shape.width];
              average[k] = math::moving_average(rule, before, use.counts(group)[k]);
              total += static_cast<double>(average[k]);
            }
            for (std::int64_t k = 0; k < shape.size; ++k) {
              float* code = codebook + k * shape.width;
              float* sum = sums + k * shape.width;
              const float* batch_sum = batch_sums + k * shape.width;
              if (average[k] < rule.restart_below) {
                const std::int64_t row =
                    math::restart_row(seed, memory->state.position, group * shape.size + k, use.rows());
                std::copy_n(use.latent(row, group), shape.width, code);
                for (std::int64_t c = 0; c < shape.width; ++c) sum[c] = rule.fair_count * code[c];
                used[k * shape.width] = rule.fair_count;
                continue;
              }
              const float count =
                  math::smoothed_count(average[k], static_cast<float>(total), static_cast<float>(shape.size));
              for (std::int64_t c = 0; c < shape.width; ++c) {
                const float before = first_step ? rule.fair_count * code[c] : sum[c];
                sum[c] = math::moving_average(rule, before, batch_sum[c]);
                code[c] = sum[c] / count;
              }
              used[k * shape.width] = average[k];
            }
          }};
}

}  // namespace

std::int64_t add_codebook_move(const CodebookMoveInputs& inputs, const CodebookMove& move, Phase& phase) {
  const auto* gradient = std::get_if<PlacedOp<CodebookGradient>>(&move);
  const auto* average = std::get_if<PlacedOp<CodebookAverage>>(&move);
  const CodebookParameters& shape =
      gradient != nullptr ? (*gradient)->batch.codebook : (*average)->batch.codebook;
  const std::size_t index = phase.pieces.size();
  phase.pieces.push_back(gradient != nullptr ? gradient_piece(inputs, gradient->place, **gradient)
                                             : average_piece(inputs, average->place, **average));
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    Tile tile{.row_begin = g, .row_end = g + 1, .col_begin = 0, .col_end = 1};
    if (gradient != nullptr) {
      tile.slot = static_cast<std::int64_t>(inputs.memory.tile_squares.size());
      inputs.memory.tile_squares.push_back(0.0);
    }
    phase.units.push_back({index, index + 1, tile});
  }
  return shape.size * shape.width;
}

}  // namespace vaecuda::cpu
