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
    : ops_(ops),
      threads_(static_cast<std::size_t>(threads)),
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

std::vector<OpTime> ops_as_compiled(const Plan& plan) {
  constexpr double kUpdateBytes = 24.0;
  constexpr double kGradientBytes = 4.0;
  const auto has = [&plan](auto is_kind) { return std::any_of(plan.ops.begin(), plan.ops.end(), is_kind); };
  const bool updates = has([](const Op& op) { return std::holds_alternative<AdamUpdate>(op); });
  const bool clips = has([](const Op& op) { return std::holds_alternative<GradNorm>(op); });
  std::vector<OpTime> ops;
  for (const Op& op : plan.ops) {
    OpTime time{0.0, cost_of(op), false};
    if (updates && !clips) {
      if (const auto* backward = std::get_if<LinearBackward>(&op)) {
        const auto weights =
            static_cast<double>(backward->layer.out) * static_cast<double>(backward->layer.in);
        const double parameters = weights + static_cast<double>(backward->layer.out);
        time.cost.bytes += kUpdateBytes * parameters - kGradientBytes * weights;
      } else if (std::holds_alternative<AdamUpdate>(op)) {
        time = {0.0, {}, true};
      }
    }
    ops.push_back(time);
  }
  return ops;
}

}  // namespace vaecuda::cpu
