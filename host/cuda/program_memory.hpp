// The device memory of one program, and where the views of its plan lie in it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/cuda/forms.hpp"
#include "host/cuda/memory.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/step_end.hpp"
#include "kernels/matrix.hpp"
#include "kernels/update.hpp"

namespace vaecuda::cuda {

/// Everything is allocated here, once. Its address stays the same as long as the program lives.
class ProgramMemory {
 public:
  /// `end`: that of a training step, else null. `half`: activations have a bfloat16 twin. `ring_size`:
  /// entries of the metrics ring (training).
  ProgramMemory(Context& context, const Plan& plan, const StepEnd* end, bool half, std::int64_t ring_size);
  ProgramMemory(const ProgramMemory&) = delete;
  ProgramMemory& operator=(const ProgramMemory&) = delete;
  /// Waits for work that uses the memory.
  ~ProgramMemory();

  /// While it lives, memory of the caller's stands for exchange buffers: each with so many rows.
  class BoundRows {
   public:
    /// \throws std::logic_error for a buffer that is no exchange buffer.
    BoundRows(ProgramMemory& memory, std::span<const Binding> bound, std::int64_t rows);
    BoundRows(const BoundRows&) = delete;
    BoundRows& operator=(const BoundRows&) = delete;
    ~BoundRows();

   private:
    ProgramMemory& memory_;
  };
  /// Rows of an exchange buffer, bound or its own.
  [[nodiscard]] std::int64_t rows(const View& view) const;

  /// Null data for an invalid view.
  [[nodiscard]] kernels::InMatrix in(const View& view) const { return {single(view), view.stride}; }
  [[nodiscard]] kernels::OutMatrix out(const View& view, Forms forms) const;
  [[nodiscard]] float* single(const View& view) const;
  /// \throws std::logic_error for a view that has no twin: only activations do.
  [[nodiscard]] math::BFloat16* half(const View& view) const;

  /// One bit for each element of `view`, rows `mask_stride` bits apart.
  [[nodiscard]] void* add_mask(const View& view);
  [[nodiscard]] static std::int64_t mask_stride(const View& view) { return (view.cols + 127) / 128 * 128; }
  /// Gives the newest mask back.
  void drop_mask() { masks_.pop_back(); }

  [[nodiscard]] math::StepState* state() const { return state_.as<math::StepState>(); }
  [[nodiscard]] kernels::UpdateScratch* scratch() const { return scratch_.as<kernels::UpdateScratch>(); }
  /// Null in inference.
  [[nodiscard]] float* gradients() const { return gradients_.as<float>(); }
  [[nodiscard]] math::StepMetrics* ring() const { return ring_.as<math::StepMetrics>(); }
  [[nodiscard]] std::int64_t ring_size() const {
    return ring_.bytes() / static_cast<std::int64_t>(sizeof(math::StepMetrics));
  }

  /// \throws std::logic_error unless `buffer` is an exchange buffer of at least so many floats.
  [[nodiscard]] float* exchange(int buffer, std::size_t floats) const;
  void zero_exchange();

 private:
  void place(const Plan& plan, const StepEnd* end, bool half);

  Context& context_;
  std::vector<BufferKind> kinds_;     ///< by buffer
  std::vector<std::int64_t> offset_;  ///< by buffer: floats into the arena; −1: no activation in use
  std::vector<DeviceBuffer> own_;     ///< by buffer: constants and exchange buffers
  std::vector<float*> bound_;         ///< by buffer: what stands for an exchange buffer, or null
  std::int64_t bound_rows_ = 0;
  DeviceBuffer arena_;
  DeviceBuffer half_arena_;
  std::vector<DeviceBuffer> masks_;
  DeviceBuffer state_;
  DeviceBuffer gradients_;
  DeviceBuffer scratch_;
  DeviceBuffer ring_;
};

}  // namespace vaecuda::cuda
