#include "host/cpu/profiler.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>

namespace vaecuda::cpu {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t nanoseconds_since(Clock::time_point began) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - began).count();
}

}  // namespace

Profiler::Profiler(std::size_t ops, int threads)
    : threads_(static_cast<std::size_t>(threads)),
      stride_((ops + 7) / 8 * 8 + 8),
      nanoseconds_(threads_ * stride_, 0) {}

std::vector<Phase> Profiler::timed(const std::vector<Phase>& phases) {
  std::vector<Phase> copies = phases;
  for (Phase& phase : copies) {
    for (Piece& piece : phase.pieces) {
      piece.work = [this, op = piece.op, work = std::move(piece.work)](const Tile& tile, float* scratch) {
        const Clock::time_point began = Clock::now();
        work(tile, scratch);
        nanoseconds(op, static_cast<std::size_t>(omp_get_thread_num())) += nanoseconds_since(began);
      };
    }
    for (Serial& serial : phase.after) {
      serial.work = [this, op = serial.op, work = std::move(serial.work)] {
        const Clock::time_point began = Clock::now();
        work();
        nanoseconds(op, static_cast<std::size_t>(omp_get_thread_num())) +=
            nanoseconds_since(began) * static_cast<std::int64_t>(threads_);
      };
    }
  }
  return copies;
}

double Profiler::seconds(std::size_t op) const {
  std::int64_t total = 0;
  for (std::size_t thread = 0; thread < threads_; ++thread) total += nanoseconds_[thread * stride_ + op];
  return 1e-9 * static_cast<double>(total) / static_cast<double>(threads_);
}

std::vector<OpTime> ops_as_compiled(const Plan& plan, const StepEnd* end) {
  constexpr double kUpdateBytes = 24.0;
  constexpr double kGradientBytes = 4.0;
  std::vector<OpTime> ops;
  for (const Op& op : plan.ops) ops.push_back({0.0, cost_of(op), false});
  if (end == nullptr || end->norm) return ops;
  // Without clipping, each tile of a gradient is applied where it is computed.
  for (const PlacedOp<LinearBackward>& gradient : end->weight_gradients) {
    const double weights = gradient->layer.weights();
    const double parameters = weights + static_cast<double>(gradient->layer.out);
    ops[gradient.place].cost.bytes += kUpdateBytes * parameters - kGradientBytes * weights;
  }
  ops[end->update.place] = {0.0, {}, true};
  return ops;
}

}  // namespace vaecuda::cpu
