#include "host/cuda/program_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace vaecuda::cuda {

ProgramMemory::ProgramMemory(Context& context, const Plan& plan, const StepEnd* end, bool half,
                             std::int64_t ring_size)
    : context_(context) {
  place(plan, end, half);
  state_ = DeviceBuffer::of<math::StepState>(context, 1, "the state of a step");
  const math::StepState start;
  context.runtime->copy_to_device(state_.as<void>(), &start, sizeof(start));
  if (end == nullptr) return;
  gradients_ = DeviceBuffer::of<float>(context, plan.parameter_size, "gradients");
  scratch_ = DeviceBuffer::of<kernels::UpdateScratch>(context, 1, "the update's scratch memory");
  ring_ = DeviceBuffer::of<math::StepMetrics>(context, ring_size, "metrics");
}

ProgramMemory::~ProgramMemory() {
  quiesce(*context_.runtime);
}

void ProgramMemory::place(const Plan& plan, const StepEnd* end, bool half) {
  // A gradient of a bias that no matrix product takes along, or of another parameter, is summed just before
  // the update.
  const Placement placement =
      place_activations(plan, lifetimes_with_end(plan, end, WeightGradientTime::in_order));
  arena_ = DeviceBuffer::of<float>(context_, placement.size, "activations");
  if (half) {
    half_arena_ = DeviceBuffer::of<math::BFloat16>(context_, placement.size, "activations in bfloat16");
  }
  offset_ = placement.offset;
  for (const Buffer& buffer : plan.buffers) {
    kinds_.push_back(buffer.kind);
    own_.emplace_back();
    bound_.push_back(nullptr);
    if (buffer.kind == BufferKind::activation) continue;
    own_.back() = DeviceBuffer::of<float>(context_, buffer.size(), buffer.name);
    if (buffer.kind == BufferKind::constant) {
      context_.runtime->copy_to_device(own_.back().as<void>(), buffer.values.data(), buffer.size() * 4);
    }
  }
}

float* ProgramMemory::single(const View& view) const {
  if (!view.valid()) return nullptr;
  const auto i = static_cast<std::size_t>(view.buffer);
  if (bound_[i] != nullptr) return bound_[i] + view.offset;
  float* base = kinds_[i] == BufferKind::activation ? arena_.as<float>() + offset_[i] : own_[i].as<float>();
  return base + view.offset;
}

std::int64_t ProgramMemory::rows(const View& view) const {
  return bound_[static_cast<std::size_t>(view.buffer)] != nullptr ? bound_rows_ : view.rows;
}

ProgramMemory::BoundRows::BoundRows(ProgramMemory& memory, std::span<const Binding> bound, std::int64_t rows)
    : memory_(memory) {
  for (const Binding& binding : bound) static_cast<void>(memory.exchange(binding.buffer, 0));
  for (const Binding& binding : bound)
    memory.bound_[static_cast<std::size_t>(binding.buffer)] = binding.memory;
  memory.bound_rows_ = rows;
}

ProgramMemory::BoundRows::~BoundRows() {
  std::fill(memory_.bound_.begin(), memory_.bound_.end(), nullptr);
}

math::BFloat16* ProgramMemory::half(const View& view) const {
  if (!view.valid()) return nullptr;
  const auto i = static_cast<std::size_t>(view.buffer);
  if (kinds_[i] != BufferKind::activation) {
    throw std::logic_error("a matrix product in bfloat16 reads a buffer that is no activation");
  }
  return half_arena_.as<math::BFloat16>() + offset_[i] + view.offset;
}

kernels::OutMatrix ProgramMemory::out(const View& view, Forms forms) const {
  return {forms.single ? single(view) : nullptr, forms.half ? half(view) : nullptr, view.stride};
}

void* ProgramMemory::add_mask(const View& view) {
  masks_.push_back(
      DeviceBuffer::of<std::uint8_t>(context_, view.rows * (mask_stride(view) / 8), "masks of activations"));
  return masks_.back().as<void>();
}

float* ProgramMemory::exchange(int buffer, std::size_t floats) const {
  const auto i = static_cast<std::size_t>(buffer);
  const bool exists = i < own_.size() && kinds_[i] == BufferKind::exchange;
  if (!exists || own_[i].bytes() < static_cast<std::int64_t>(floats * sizeof(float))) {
    throw std::logic_error(
        fmt::format("buffer {} is no exchange buffer of {} floats or more", buffer, floats));
  }
  return own_[i].as<float>();
}

void ProgramMemory::zero_exchange() {
  for (std::size_t i = 0; i < own_.size(); ++i) {
    if (kinds_[i] == BufferKind::exchange) context_.runtime->fill_zero(own_[i].as<void>(), own_[i].bytes());
  }
}

}  // namespace vaecuda::cuda
