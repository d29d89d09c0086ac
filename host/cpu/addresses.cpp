#include "host/cpu/addresses.hpp"

#include <algorithm>
#include <limits>

#include "host/cpu/tiling.hpp"

namespace vaecuda::cpu {
namespace {

/// When each buffer is in use, in this backend's order of the ops.
std::vector<Lifetime> lifetimes_as_compiled(const Plan& plan) {
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  // Weight gradients run after everything else, so what they read lives to the end of the step.
  std::vector<Lifetime> lifetimes = lifetimes_in_order(plan);
  for (const Op& op : plan.ops) {
    if (const auto* backward = std::get_if<LinearBackward>(&op)) {
      for (const View* view : {&backward->d, &backward->in}) {
        lifetimes[static_cast<std::size_t>(view->buffer)].last = kEnd;
      }
    } else if (const auto* gradient = std::get_if<ParameterGradient>(&op)) {
      lifetimes[static_cast<std::size_t>(gradient->d.buffer)].last = kEnd;
    }
  }
  // A chain runs several ops on some rows while other rows are still at the first of them, so within a step
  // an activation may take the place of another only if the two never meet in one chain: none is shared.
  const bool training = std::any_of(plan.ops.begin(), plan.ops.end(),
                                    [](const Op& op) { return std::holds_alternative<AdvanceStep>(op); });
  const bool chained = std::any_of(plan.buffers.begin(), plan.buffers.end(), [](const Buffer& buffer) {
    return buffer.kind == BufferKind::activation && row_tile(buffer.rows) < buffer.rows;
  });
  const bool sampled = std::any_of(plan.ops.begin(), plan.ops.end(), [](const Op& op) {
    const auto* latents = std::get_if<LatentForward>(&op);
    return latents != nullptr && latents->z.rows > latents->head.rows;
  });
  if (training || chained || sampled) {
    for (Lifetime& life : lifetimes) {
      if (life.first >= 0) life = {0, kEnd};
    }
  }
  return lifetimes;
}

/// All that a program takes, and what the host holds beside it: whoever writes or reads rows has them once
/// more.
void require_memory_for(const Plan& placed) {
  double floats = static_cast<double>(placed.arena_size);
  for (const Buffer& buffer : placed.buffers) {
    if (buffer.kind == BufferKind::activation) continue;
    floats += (buffer.kind == BufferKind::exchange ? 2.0 : 1.0) * static_cast<double>(buffer.size());
  }
  constexpr double kMost = 9e18;
  require_memory(static_cast<std::int64_t>(std::min(4.0 * floats, kMost)), placed.name);
}

}  // namespace

Addresses place_buffers(const Plan& plan, ProgramMemory& memory,
                        const std::shared_ptr<ByteCounter>& counter) {
  Plan placed = plan;
  place_activations(placed, lifetimes_as_compiled(placed));
  require_memory_for(placed);
  memory.arena = FloatBuffer(placed.arena_size, "activations", counter);
  memory.constants.resize(placed.buffers.size());
  memory.exchange.resize(placed.buffers.size());
  Addresses addresses;
  addresses.base.resize(placed.buffers.size(), nullptr);
  for (std::size_t i = 0; i < placed.buffers.size(); ++i) {
    const Buffer& buffer = placed.buffers[i];
    switch (buffer.kind) {
      case BufferKind::activation:
        if (buffer.arena_offset >= 0) addresses.base[i] = memory.arena.data() + buffer.arena_offset;
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
