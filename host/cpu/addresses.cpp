#include "host/cpu/addresses.hpp"

#include <algorithm>
#include <limits>

#include "host/cpu/tiling.hpp"

namespace vaecuda::cpu {
namespace {

/// When each buffer is in use, in this backend's order of the ops.
std::vector<Lifetime> lifetimes_as_compiled(const Plan& plan, const StepEnd* end) {
  std::vector<Lifetime> lifetimes = lifetimes_with_end(plan, end, WeightGradientTime::at_end);
  // A chain runs several ops on some rows while other rows are still at its first op, so two activations of a
  // step could share memory only if no chain uses both: none is shared.
  const bool chained = std::any_of(plan.buffers.begin(), plan.buffers.end(), [](const Buffer& buffer) {
    return buffer.kind == BufferKind::activation && row_tile(buffer.rows) < buffer.rows;
  });
  const bool sampled = std::any_of(plan.ops.begin(), plan.ops.end(), [](const Op& op) {
    const auto* latents = std::get_if<LatentForward>(&op);
    return latents != nullptr && latents->z.rows > latents->head.rows;
  });
  if (end != nullptr || chained || sampled) {
    for (Lifetime& life : lifetimes) {
      if (life.first >= 0) life = {0, std::numeric_limits<std::int64_t>::max()};
    }
  }
  return lifetimes;
}

/// All memory of a program, and that of its host: the writer and the reader of rows each hold another copy.
void require_memory_for(const Plan& plan, const Placement& placement) {
  double floats = static_cast<double>(placement.size);
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.kind == BufferKind::activation) continue;
    floats += (buffer.kind == BufferKind::exchange ? 2.0 : 1.0) * static_cast<double>(buffer.size());
  }
  constexpr double kMost = 9e18;
  require_memory(static_cast<std::int64_t>(std::min(4.0 * floats, kMost)), plan.name);
}

}  // namespace

Addresses place_buffers(const Plan& plan, const StepEnd* end, ProgramMemory& memory,
                        const std::shared_ptr<ByteCounter>& counter) {
  const Placement placement = place_activations(plan, lifetimes_as_compiled(plan, end));
  require_memory_for(plan, placement);
  memory.arena = FloatBuffer(placement.size, "activations", counter);
  memory.constants.resize(plan.buffers.size());
  memory.exchange.resize(plan.buffers.size());
  Addresses addresses;
  addresses.base.resize(plan.buffers.size(), nullptr);
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& buffer = plan.buffers[i];
    switch (buffer.kind) {
      case BufferKind::activation:
        if (placement.offset[i] >= 0) addresses.base[i] = memory.arena.data() + placement.offset[i];
        break;
      case BufferKind::constant:
        memory.constants[i] = FloatBuffer(buffer.size(), buffer.name, counter);
        std::copy(buffer.values.begin(), buffer.values.end(), memory.constants[i].data());
        addresses.base[i] = memory.constants[i].data();
        break;
      case BufferKind::exchange:
        memory.exchange[i] = FloatBuffer(buffer.size(), buffer.name, counter);
        addresses.base[i] = memory.exchange[i].data();
        break;
    }
  }
  return addresses;
}

}  // namespace vaecuda::cpu
