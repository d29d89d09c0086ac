#include "host/cuda/program.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "host/cuda/profiler.hpp"

namespace vaecuda::cuda {
namespace {

constexpr std::int64_t kGraphSteps[] = {16, 4, 1};
constexpr double kQueueSeconds = 0.5;

/// How a training step ends.
std::optional<kernels::AdvanceArgs> advance_of(const std::vector<Node>& nodes) {
  for (const Node& node : nodes) {
    if (const auto* update = std::get_if<kernels::UpdateArgs>(&node.launch)) return update->advance;
  }
  return std::nullopt;
}

}  // namespace

CudaProgram::CudaProgram(Context& context, std::int64_t batch, std::vector<OpTime> ops,
                         std::unique_ptr<ProgramMemory> memory, std::vector<Node> nodes)
    : context_(context),
      runtime_(*context.runtime),
      batch_(batch),
      ops_(std::move(ops)),
      memory_(std::move(memory)),
      nodes_(std::move(nodes)),
      advance_(advance_of(nodes_)),
      // Of a step whose metrics the host has not taken yet, the ring's entry must not be written again.
      pacing_(kQueueSeconds, advance_ ? memory_->ring_size() : std::numeric_limits<std::int64_t>::max() / 2) {
  if (advance_) {
    constexpr auto kEntry = static_cast<std::int64_t>(sizeof(math::StepMetrics));
    constexpr auto kStates = static_cast<std::int64_t>(kChunks * sizeof(math::StepState));
    ring_copy_ = PinnedBuffer(runtime_, memory_->ring_size() * kEntry, "metrics");
    state_copies_ = PinnedBuffer(runtime_, kStates, "the state of a step");
  }
  for (std::unique_ptr<Event>& event : events_) event = runtime_.make_event();
  warm_up();
  capture();
}

CudaProgram::~CudaProgram() {
  quiesce(runtime_);
}

void CudaProgram::enqueue_step() {
  for (const Node& node : nodes_) node.enqueue(*memory_, runtime_.stream());
}

void CudaProgram::warm_up() {
  kernels::launch(kernels::SetPositionArgs{memory_->state(), 0, 0}, runtime_.stream());
  if (advance_) {
    launch_set_step(0);
    // A raised fault keeps every op from changing parameters, moments and metrics.
    const std::int32_t raised = 1;
    runtime_.copy_to_device(&memory_->state()->fault, &raised, sizeof(raised));
  }
  enqueue_step();
  runtime_.synchronize();
  memory_->zero_exchange();
  if (advance_) {
    launch_set_step(0);
  } else {
    kernels::launch(kernels::SetPositionArgs{memory_->state(), 0, 0}, runtime_.stream());
  }
  runtime_.synchronize();
}

void CudaProgram::capture() {
  for (const std::int64_t steps : kGraphSteps) {
    graphs_.push_back({steps, runtime_.capture([&] {
                         for (std::int64_t i = 0; i < steps; ++i) enqueue_step();
                       })});
  }
}

void CudaProgram::launch_set_step(std::int64_t step) {
  kernels::launch(kernels::SetStepArgs{*advance_, step, memory_->state(), memory_->scratch()},
                  runtime_.stream());
}

void CudaProgram::set_step(std::int64_t step) {
  with_errors(runtime_, [&] {
    retire_all();
    fault_.reset();
    next_step_ = step;
    if (advance_) launch_set_step(step);
  });
}

void CudaProgram::set_position(std::int64_t position, std::int64_t origin) {
  with_errors(runtime_, [&] {
    retire_all();
    kernels::launch(kernels::SetPositionArgs{memory_->state(), position, origin}, runtime_.stream());
  });
}

void CudaProgram::run(std::int64_t count) {
  with_errors(runtime_, [&] {
    std::int64_t queued = 0;
    for (const Chunk& chunk : under_way_) queued += chunk.steps;
    while (count > 0 && !fault_) {
      // Four chunks fill the queue: while the host waits for one, the device has the others. Long ones are
      // whole graphs.
      std::int64_t steps = std::max<std::int64_t>(1, pacing_.limit() / 4);
      if (steps > kGraphSteps[0]) steps -= steps % kGraphSteps[0];
      steps = std::min(steps, count);
      if (queued + steps > pacing_.limit() || under_way_.size() == kChunks) {
        queued -= under_way_.front().steps;
        retire();
        continue;
      }
      queue_chunk(steps, [&] { replay(steps); });
      queued += steps;
      count -= steps;
    }
  });
}

void CudaProgram::run_bound(std::span<const Binding> bound, std::int64_t first, std::int64_t rows,
                            void* stream) {
  with_errors(runtime_, [&] {
    retire_all();
    auto* const callers = static_cast<kernels::Stream>(stream);
    kernels::launch(kernels::SetPositionArgs{memory_->state(), first, first}, runtime_.stream());
    runtime_.begin_after(callers);
    // The graphs know the program's own buffers alone, so every launch is put on the stream by itself.
    const ProgramMemory::BoundRows binding(*memory_, bound, rows);
    for (std::int64_t done = 0; done < rows; done += batch_) enqueue_step();
    runtime_.end_before(callers);
  });
}

void CudaProgram::replay(std::int64_t steps) {
  while (steps > 0) {
    const auto fits = std::find_if(graphs_.begin(), graphs_.end(),
                                   [&](const StepGraph& graph) { return graph.steps <= steps; });
    fits->graph->launch();
    steps -= fits->steps;
  }
}

void CudaProgram::queue_chunk(std::int64_t steps, const std::function<void()>& work) {
  if (under_way_.empty()) could_begin_ = Clock::now();
  const Chunk chunk{next_step_, steps, next_slot_};
  work();
  if (advance_) copy_metrics(chunk);
  events_[chunk.slot]->record();
  under_way_.push_back(chunk);
  next_slot_ = (next_slot_ + 1) % kChunks;
  next_step_ += steps;
}

double CudaProgram::timed_run(std::int64_t count) {
  return with_errors(runtime_, [&] {
    retire_all();
    const std::unique_ptr<Event> begin = runtime_.make_event();
    const std::unique_ptr<Event> end = runtime_.make_event();
    begin->record();
    run(count);
    end->record();
    retire_all();
    begin->wait();
    end->wait();
    return end->seconds_since(*begin);
  });
}

std::vector<OpTime> CudaProgram::profile(std::int64_t passes) {
  return with_errors(runtime_, [&] {
    retire_all();
    Profiler profiler(context_, *memory_, nodes_);
    std::vector<OpTime> ops = ops_;
    std::int64_t done = 0;
    for (; done < passes && !fault_; ++done) {
      queue_chunk(1, [&] { profiler.enqueue_step(); });
      profiler.collect(ops);
      retire_all();
    }
    for (OpTime& op : ops) op.seconds /= static_cast<double>(std::max<std::int64_t>(1, done));
    return ops;
  });
}

void CudaProgram::copy_metrics(const Chunk& chunk) {
  constexpr auto kEntry = static_cast<std::int64_t>(sizeof(math::StepMetrics));
  const std::int64_t size = memory_->ring_size();
  for (std::int64_t step = chunk.first; step < chunk.first + chunk.steps;) {
    const std::int64_t place = step % size;
    const std::int64_t count = std::min(chunk.first + chunk.steps - step, size - place);
    runtime_.copy_to_host(ring_copy_.as<math::StepMetrics>() + place, memory_->ring() + place,
                          count * kEntry);
    step += count;
  }
  runtime_.copy_to_host(state_copies_.as<math::StepState>() + chunk.slot, memory_->state(),
                        sizeof(math::StepState));
}

void CudaProgram::retire() {
  const Chunk chunk = under_way_.front();
  events_[chunk.slot]->wait();
  under_way_.pop_front();
  const Clock::time_point now = Clock::now();
  pacing_.observe(chunk.steps, std::chrono::duration<double>(now - could_begin_).count());
  could_begin_ = now;
  if (!advance_) return;
  // A step that met a fault was not advanced and left no metrics, nor did any after it.
  const math::StepState& state = state_copies_.as<math::StepState>()[chunk.slot];
  const std::int64_t end = std::min(state.step, chunk.first + chunk.steps);
  for (std::int64_t step = chunk.first; step < end; ++step) {
    metrics_.push_back(ring_copy_.as<math::StepMetrics>()[step % memory_->ring_size()]);
  }
  if (state.fault != 0) fault_ = Fault{state.step + 1, state.fault_element};
}

void CudaProgram::retire_all() {
  while (!under_way_.empty()) retire();
}

void CudaProgram::take_metrics(std::vector<math::StepMetrics>& out) {
  with_errors(runtime_, [&] { retire_all(); });
  out.insert(out.end(), metrics_.begin(), metrics_.end());
  metrics_.clear();
}

std::optional<Fault> CudaProgram::fault() {
  with_errors(runtime_, [&] { retire_all(); });
  return fault_;
}

void CudaProgram::write(int buffer, std::span<const float> values) {
  float* target = memory_->exchange(buffer, values.size());
  with_errors(runtime_, [&] {
    retire_all();
    runtime_.copy_to_device(target, values.data(), static_cast<std::int64_t>(values.size_bytes()));
  });
}

void CudaProgram::read(int buffer, std::span<float> values) {
  const float* source = memory_->exchange(buffer, values.size());
  with_errors(runtime_, [&] {
    retire_all();
    runtime_.copy_to_host(values.data(), source, static_cast<std::int64_t>(values.size_bytes()));
    runtime_.synchronize();
  });
}

int CudaProgram::kernels_per_step() const {
  int kernels = 0;
  for (const Node& node : nodes_) kernels += node.kernels();
  return kernels;
}

int CudaProgram::captured_kernels() const {
  return graphs_.back().graph->kernel_nodes();
}

std::vector<std::string> CudaProgram::launches() const {
  std::vector<std::string> all;
  for (const Node& node : nodes_) all.push_back(node.name);
  return all;
}

std::vector<std::string> CudaProgram::algorithms() const {
  std::vector<std::string> all;
  for (const Node& node : nodes_) {
    const auto* product = std::get_if<Product>(&node.launch);
    if (product != nullptr) all.push_back(node.name + ": " + product->gemm->algorithm());
  }
  return all;
}

}  // namespace vaecuda::cuda
