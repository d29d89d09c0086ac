#include "host/cuda/profiler.hpp"

#include <algorithm>

namespace vaecuda::cuda {
namespace {

/// Larger than the second-level cache, which holds less than a 250th of the memory of every GPU from Turing
/// to Blackwell and at most some 100 MiB.
std::int64_t flush_bytes(const DeviceFacts& facts) {
  return std::clamp<std::int64_t>(facts.memory_bytes / 128, 1 << 20, 256 << 20);
}

}  // namespace

Profiler::Profiler(Context& context, const ProgramMemory& memory, const std::vector<Node>& nodes)
    : runtime_(*context.runtime),
      memory_(memory),
      nodes_(nodes),
      flush_(DeviceBuffer::of<std::uint8_t>(context, flush_bytes(runtime_.facts()), "profiling")) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    spans_.push_back({runtime_.make_event(), runtime_.make_event()});
  }
}

void Profiler::enqueue_step() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    runtime_.fill_zero(flush_.as<void>(), flush_.bytes());
    spans_[i].begin->record();
    nodes_[i].enqueue(memory_, runtime_.stream());
    spans_[i].end->record();
  }
}

void Profiler::collect(std::vector<OpTime>& ops) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    spans_[i].begin->wait();
    spans_[i].end->wait();
    ops[nodes_[i].op].seconds += spans_[i].end->seconds_since(*spans_[i].begin);
  }
}

std::vector<OpTime> ops_as_launched(const Plan& plan, const StepEnd* end) {
  std::vector<OpTime> ops;
  for (const Op& op : plan.ops) ops.push_back({0.0, cost_of(op), false});
  if (end == nullptr) return ops;
  if (end->norm) ops[end->norm->place].cost.bytes = 4.0 * static_cast<double>(plan.parameter_size);
  OpTime& advance = ops[end->advance.place];
  ops[end->update.place].cost.bytes += advance.cost.bytes;
  advance = {0.0, {}, true};
  return ops;
}

}  // namespace vaecuda::cuda
