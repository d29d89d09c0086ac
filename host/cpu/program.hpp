// A compiled plan on the CPU: phases of independent units, one phase after the other. What a unit computes
// depends only on shapes; any thread may take any unit, so the result is the same for any number of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/cpu/memory.hpp"
#include "host/cpu/phase_gate.hpp"
#include "host/cpu/team.hpp"
#include "host/plan/backend.hpp"

namespace vaecuda::cpu {

/// A rectangle of an op's output.
struct Tile {
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  std::int64_t col_begin = 0;
  std::int64_t col_end = 0;
  std::int64_t slot = 0;  ///< weight tiles: index of the tile's gradient norm
  [[nodiscard]] std::int64_t rows() const { return row_end - row_begin; }
  [[nodiscard]] std::int64_t cols() const { return col_end - col_begin; }
};

/// The work of an op of the plan on one tile; `scratch` belongs to the thread.
struct Piece {
  std::size_t op = 0;  ///< its index in the plan
  std::function<void(const Tile& tile, float* scratch)> work;
};

/// Work of one thread for an op while the others wait.
struct Serial {
  std::size_t op = 0;
  std::function<void()> work;
};

/// Pieces first .. last − 1 of the phase, one after the other on the same tile.
struct Unit {
  std::size_t first = 0;
  std::size_t last = 0;
  Tile tile;
};

struct Phase {
  std::vector<Piece> pieces;
  std::vector<Unit> units;
  std::vector<std::size_t> shares;  ///< end of each thread's units; empty until they are assigned
  std::vector<Serial> after;  ///< by the thread that finishes the last unit, before the next phase opens
};

/// Orders the units by the thread that takes them first: each thread gets the same contiguous part of every
/// op, so that it processes the same rows and weights in all phases and at every step.
void deal_units(Phase& phase, int threads);

/// State shared by the pieces of a program. Its address is constant for the lifetime of the program.
struct ProgramMemory {
  FloatBuffer arena;
  std::vector<FloatBuffer> constants;  ///< by buffer index; empty unless the buffer is a constant
  std::vector<FloatBuffer> exchange;
  FloatBuffer gradients;  ///< only if the norm is needed before the update
  FloatBuffer scratch;    ///< threads × scratch_size
  std::int64_t scratch_size = 0;
  std::vector<double> tile_squares;         ///< sum of squared gradients per weight tile
  std::atomic<std::int64_t> first_bad{-1};  ///< lowest arena element with a non-finite gradient
  math::StepState state;
  float gradient_scale = 1.0f;
  math::LossMeans means;  ///< of the running step
  double loss = 0.0;
  std::vector<math::StepMetrics> metrics;
  std::optional<Fault> fault;
};

/// A compiled plan.
struct CompiledPlan {
  std::vector<Phase> phases;
  std::unique_ptr<ProgramMemory> memory;
  std::function<math::StepState(std::int64_t)> state_of_step;  ///< empty for inference
  std::vector<OpTime> ops;                                     ///< in the plan's order, the seconds zero
  int threads = 1;
  std::vector<std::string> algorithms;
  std::shared_ptr<RegionCounter> regions;  ///< may be null
};

class CpuProgram final : public Program {
 public:
  explicit CpuProgram(CompiledPlan compiled);

  void set_step(std::int64_t step) override;
  void set_position(std::int64_t position, std::int64_t origin) override;
  void run(std::int64_t count) override { run(compiled_.phases, count); }
  void run_bound(std::span<const Binding> bound, std::int64_t first, std::int64_t rows,
                 void* stream) override;
  [[nodiscard]] double timed_run(std::int64_t count) override;
  [[nodiscard]] std::vector<OpTime> profile(std::int64_t passes) override;
  void take_metrics(std::vector<math::StepMetrics>& out) override;
  [[nodiscard]] std::optional<Fault> fault() override { return compiled_.memory->fault; }
  [[nodiscard]] std::vector<std::string> algorithms() const override { return compiled_.algorithms; }
  void write(int buffer, std::span<const float> values) override;
  void read(int buffer, std::span<float> values) override;

 private:
  void run(const std::vector<Phase>& phases, std::int64_t count);
  void run_steps(const std::vector<Phase>& phases, std::int64_t count);
  [[nodiscard]] const FloatBuffer& exchange(int buffer, std::size_t values) const;

  CompiledPlan compiled_;
};

}  // namespace vaecuda::cpu
