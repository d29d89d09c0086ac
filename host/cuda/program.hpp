// A compiled plan on the device: its launches captured as graphs of 16, 4 and 1 steps, replayed in chunks
// whose metrics the host collects behind the running work.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/cuda/memory.hpp"
#include "host/cuda/node.hpp"
#include "host/cuda/pacing.hpp"
#include "host/cuda/program_memory.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/captured_steps.hpp"

namespace vaecuda::cuda {

class CudaProgram final : public Program, public CapturedSteps {
 public:
  /// Runs every launch once, so that all kernels are loaded, without effect on parameters and moments; then
  /// captures the graphs. `batch`: rows of a step. `ops`: the plan's, the seconds zero. `nodes`: lowered for
  /// `memory`.
  CudaProgram(Context& context, std::int64_t batch, std::vector<OpTime> ops,
              std::unique_ptr<ProgramMemory> memory, std::vector<Node> nodes);
  CudaProgram(const CudaProgram&) = delete;
  CudaProgram& operator=(const CudaProgram&) = delete;
  /// Waits for queued work.
  ~CudaProgram() override;

  void set_step(std::int64_t step) override;
  void set_position(std::int64_t position, std::int64_t origin) override;
  void run(std::int64_t count) override;
  void run_bound(std::span<const Binding> bound, std::int64_t first, std::int64_t rows,
                 void* stream) override;
  [[nodiscard]] double timed_run(std::int64_t count) override;
  [[nodiscard]] std::vector<OpTime> profile(std::int64_t passes) override;
  void take_metrics(std::vector<math::StepMetrics>& out) override;
  [[nodiscard]] std::optional<Fault> fault() override;
  void write(int buffer, std::span<const float> values) override;
  void read(int buffer, std::span<float> values) override;

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  /// Launches of one step; matrix products count as one each.
  [[nodiscard]] int kernels_per_step() const;
  [[nodiscard]] int captured_kernels() const override;
  [[nodiscard]] std::vector<std::string> launches() const override;
  /// "layer and purpose: algorithm" of every matrix product, in the plan's order.
  [[nodiscard]] std::vector<std::string> algorithms() const override;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kChunks = 8;  ///< under way at the most

  /// Steps that were queued together, with the copies of their state and metrics.
  struct Chunk {
    std::int64_t first = 0;
    std::int64_t steps = 0;
    std::size_t slot = 0;
  };

  void warm_up();
  void capture();
  void enqueue_step();
  void launch_set_step(std::int64_t step);
  void replay(std::int64_t steps);
  /// `work` puts so many steps on the stream.
  void queue_chunk(std::int64_t steps, const std::function<void()>& work);
  void copy_metrics(const Chunk& chunk);
  /// Waits for the oldest chunk and takes what it left.
  void retire();
  void retire_all();

  Context& context_;
  Runtime& runtime_;
  std::int64_t batch_;
  std::vector<OpTime> ops_;  ///< by the plan's order, seconds zero
  std::unique_ptr<ProgramMemory> memory_;
  std::vector<Node> nodes_;
  std::optional<kernels::AdvanceArgs> advance_;  ///< training
  struct StepGraph {
    std::int64_t steps = 1;
    std::unique_ptr<Graph> graph;
  };
  std::vector<StepGraph> graphs_;  ///< long ones first
  PinnedBuffer ring_copy_;         ///< entries at their places in the ring
  PinnedBuffer state_copies_;      ///< by slot
  std::array<std::unique_ptr<Event>, kChunks> events_;
  Pacing pacing_;
  std::deque<Chunk> under_way_;
  std::size_t next_slot_ = 0;
  std::int64_t next_step_ = 0;     ///< training: the first step that is not queued yet
  Clock::time_point could_begin_;  ///< when the device could begin with the oldest chunk
  std::vector<math::StepMetrics> metrics_;
  std::optional<Fault> fault_;
};

}  // namespace vaecuda::cuda
