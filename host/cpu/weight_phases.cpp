#include "host/cpu/weight_phases.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <variant>

#include "host/cpu/updater.hpp"

namespace vaecuda::cpu {
namespace {

/// Gradient of one tile, and its update. The first tile in a row of tiles includes the bias.
Piece merged_piece(const WeightWork& work, const PlacedOp<LinearBackward>& gradient) {
  const LinearBackward& op = *gradient;
  const Loops* loops = &work.in.loops;
  ProgramMemory* memory = &work.memory;
  const Matrix<const float> d = work.addresses.input(op.d);
  const Matrix<const float> in = work.addresses.input(op.in);
  const Updater update(work.in, work.memory, *work.end.update);
  return {gradient.place, [=](const Tile& tile, float* scratch) {
            if (memory->state.fault != 0) return;
            double squares = 0.0;
            if (tile.col_begin == 0) {
              loops->sum_columns({d.data + tile.row_begin, d.stride}, op.d.rows, tile.rows(), scratch);
              squares += update(op.layer.bias + tile.row_begin, scratch, tile.rows());
            }
            squares += update(op.layer.weight + tile.row_begin * op.layer.in + tile.col_begin, op.layer.in,
                              {d.data + tile.row_begin, d.stride}, {in.data + tile.col_begin, in.stride},
                              tile.rows(), tile.cols(), op.d.rows, scratch);
            memory->tile_squares[static_cast<std::size_t>(tile.slot)] = squares;
          }};
}

/// Gradient of one tile into the gradient arena.
Piece gradient_piece(const WeightWork& work, const PlacedOp<LinearBackward>& gradient) {
  const LinearBackward& op = *gradient;
  const Loops* loops = &work.in.loops;
  ProgramMemory* memory = &work.memory;
  const Matrix<const float> d = work.addresses.input(op.d);
  const Matrix<const float> in = work.addresses.input(op.in);
  return {gradient.place, [=](const Tile& tile, float* scratch) {
            if (memory->state.fault != 0) return;
            double squares = 0.0;
            float* gradients = memory->gradients.data();
            if (tile.col_begin == 0) {
              float* bias = gradients + op.layer.bias + tile.row_begin;
              loops->sum_columns({d.data + tile.row_begin, d.stride}, op.d.rows, tile.rows(), bias);
              squares += loops->sum_of_squares(bias, tile.rows());
            }
            float* weight = gradients + op.layer.weight + tile.row_begin * op.layer.in + tile.col_begin;
            loops->products().weight_gradient({d.data + tile.row_begin, d.stride},
                                              {in.data + tile.col_begin, in.stride}, {weight, op.layer.in},
                                              tile.rows(), tile.cols(), op.d.rows, scratch);
            for (std::int64_t r = 0; r < tile.rows(); ++r) {
              squares += loops->sum_of_squares(weight + r * op.layer.in, tile.cols());
            }
            memory->tile_squares[static_cast<std::size_t>(tile.slot)] = squares;
          }};
}

/// The same for parameters that belong to no layer, in one unit: into scratch memory with their update or, if
/// that has to wait for the norm, into the gradient arena.
Piece sum_piece(const WeightWork& work, const PlacedOp<ParameterGradient>& sum, bool merged) {
  const ParameterGradient& op = *sum;
  const Loops* loops = &work.in.loops;
  ProgramMemory* memory = &work.memory;
  const Matrix<const float> d = work.addresses.input(op.d);
  const Updater update(work.in, work.memory, *work.end.update);
  return {sum.place, [=](const Tile& tile, float* scratch) {
            if (memory->state.fault != 0) return;
            float* gradient = merged ? scratch : memory->gradients.data() + op.parameter;
            loops->sum_columns(d, op.d.rows, op.d.cols, gradient);
            memory->tile_squares[static_cast<std::size_t>(tile.slot)] =
                merged ? update(op.parameter, gradient, op.d.cols)
                       : loops->sum_of_squares(gradient, op.d.cols);
          }};
}

/// The norm of all gradients, and the factor that reduces it to `clip_norm`.
std::function<void()> clip(ProgramMemory* memory, double clip_norm) {
  return [=] {
    const double norm = gradient_norm(*memory);
    // A norm that is not finite changes no parameter: the update phase only finds the faulty element.
    if (!std::isfinite(norm)) memory->state.fault = 1;
    memory->gradient_scale = norm > clip_norm ? static_cast<float>(clip_norm / norm) : 1.0f;
  };
}

Phase update_phase(const WeightWork& work) {
  constexpr std::int64_t kBlock = 16384;  // 64 KiB of each of the four arrays
  ProgramMemory* memory = &work.memory;
  const Updater update(work.in, work.memory, *work.end.update);
  Phase phase;
  phase.pieces.push_back({work.end.update.place, [=](const Tile& tile, float*) {
                            const float* gradient = memory->gradients.data() + tile.row_begin;
                            if (memory->state.fault == 0) {
                              update(tile.row_begin, gradient, tile.rows());
                              return;
                            }
                            const float* bad = std::find_if(gradient, gradient + tile.rows(),
                                                            [](float g) { return math::is_nonfinite(g); });
                            if (bad != gradient + tile.rows())
                              note_bad(memory->first_bad, tile.row_begin + (bad - gradient));
                          }});
  for (const ParameterRange& range : work.end.update->ranges) {
    for (Tile tile : grid(range.count, 1, {kBlock, 1})) {
      tile.row_begin += range.offset;
      tile.row_end += range.offset;
      phase.units.push_back({0, 1, tile});
    }
  }
  return phase;
}

}  // namespace

std::vector<Tile> grid(std::int64_t rows, std::int64_t cols, TileSize size) {
  std::vector<Tile> tiles;
  for (std::int64_t r = 0; r < rows; r += size.rows) {
    for (std::int64_t c = 0; c < cols; c += size.cols) {
      tiles.push_back({.row_begin = r,
                       .row_end = std::min(rows, r + size.rows),
                       .col_begin = c,
                       .col_end = std::min(cols, c + size.cols)});
    }
  }
  return tiles;
}

double gradient_norm(const ProgramMemory& memory) {
  double total = 0.0;
  for (const double square : memory.tile_squares) total += square;
  return std::sqrt(total);
}

WeightPhases make_weight_phases(const WeightWork& work) {
  if (work.in.parameters.moment1.size() == 0) {
    throw std::logic_error("a training plan needs a parameter store made for training");
  }
  const StepEnd& end = work.end;
  const bool merged = !end.norm;
  WeightPhases result;
  Phase phase;
  for (const PlacedOp<LinearBackward>& gradient : end.weight_gradients) {
    const LinearBackward& op = *gradient;
    const std::size_t index = phase.pieces.size();
    phase.pieces.push_back(merged ? merged_piece(work, gradient) : gradient_piece(work, gradient));
    const TileSize size = weight_tile(op.d.rows, op.layer.out, op.layer.in);
    const Products& products = work.in.loops.products();
    result.scratch_size =
        std::max({result.scratch_size, op.layer.out, products.scratch_size(size.rows, size.cols, op.d.rows)});
    for (Tile tile : grid(op.layer.out, op.layer.in, size)) {
      tile.slot = static_cast<std::int64_t>(work.memory.tile_squares.size());
      work.memory.tile_squares.push_back(0.0);
      phase.units.push_back({index, index + 1, tile});
    }
  }
  for (const PlacedOp<ParameterGradient>& sum : end.sums) {
    const std::size_t index = phase.pieces.size();
    phase.pieces.push_back(sum_piece(work, sum, merged));
    result.scratch_size = std::max(result.scratch_size, sum->d.cols);
    const auto slot = static_cast<std::int64_t>(work.memory.tile_squares.size());
    work.memory.tile_squares.push_back(0.0);
    phase.units.push_back(
        {index, index + 1, {.row_begin = 0, .row_end = 1, .col_begin = 0, .col_end = 1, .slot = slot}});
  }
  // Codes that follow moving averages do not contribute to the norm, but wait for it like the weights.
  const auto move_codes = [&](Phase& into, bool late) {
    const CodebookMoveInputs inputs{.in = work.in,
                                    .memory = work.memory,
                                    .addresses = work.addresses,
                                    .adam = *end.update,
                                    .clips = !merged};
    for (const CodebookMove& move : end.codebook_moves) {
      const bool waits = !merged && std::holds_alternative<PlacedOp<CodebookAverage>>(move);
      if (waits == late)
        result.scratch_size = std::max(result.scratch_size, add_codebook_move(inputs, move, into));
    }
  };
  move_codes(phase, false);
  result.phases.push_back(std::move(phase));
  if (!merged) {
    work.memory.gradients = FloatBuffer(work.in.plan.parameter_size, "gradients", work.in.counter);
    result.phases.back().after.push_back(
        {end.norm->place, clip(&work.memory, static_cast<double>((*end.norm)->clip_norm))});
    Phase update = update_phase(work);
    move_codes(update, true);
    result.phases.push_back(std::move(update));
  }
  return result;
}

}  // namespace vaecuda::cpu
