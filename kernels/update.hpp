// The end of a training step: gradient norm, Adam, the step's state and its metrics.
#pragma once

#include <cstdint>

#include "kernels/math/adam.h"
#include "kernels/math/bfloat16.h"
#include "kernels/math/step_state.h"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

/// Blocks of the norm and update kernels at the most: each leaves one partial sum.
inline constexpr int kMaxUpdateBlocks = 1024;

/// UpdateScratch::bad_element where there is none.
inline constexpr std::int64_t kNoBadElement = INT64_MAX;

/// What the blocks of one update share. SetStepArgs' launch prepares it; every launch leaves the tickets at
/// zero and the element at none.
struct UpdateScratch {
  std::uint32_t norm_ticket;
  std::uint32_t update_ticket;
  float gradient_scale;       ///< written by the norm kernel: 1, or what clips the norm
  std::uint32_t kl_ticket;    ///< of latent_kl
  std::int64_t bad_element;   ///< lowest arena element that could not be updated, or kNoBadElement
  math::StepState next;       ///< state of the next step
  math::StepMetrics metrics;  ///< of this step
  double norm_partial[kMaxUpdateBlocks];
};

/// A column whose mean is a term of the loss: element r at data[r · stride].
struct LossColumn {
  const float* data = nullptr;
  std::int64_t stride = 1;
  std::int64_t rows = 0;  ///< B, B·K where there are K samples of each row, or 1 of the whole batch
};

/// The terms of a step's loss, and the column of each.
struct LossColumns {
  math::LossTermList terms;
  LossColumn column[math::kMaxLossTerms] = {};
};

struct AdvanceArgs {
  LossColumns loss;
  const float* perplexity = nullptr;  ///< (G,1)
  std::int64_t perplexity_stride = 1;
  std::int64_t groups = 0;  ///< G: codebooks, or 0
  std::int64_t batch = 0;
  math::Schedule schedule;
  double beta1 = 0.9;
  double beta2 = 0.999;
  math::LossSchedule loss_schedule;
  math::StepMetrics* ring = nullptr;  ///< (ring_size); step s (from 0) writes entry s mod ring_size
  std::int64_t ring_size = 0;
  bool skip_nonfinite = false;  ///< a fault raised before the update ends the step without one
};

struct GradNormArgs {
  const float* gradient = nullptr;  ///< (P)
  std::int64_t elements = 0;        ///< P
  float clip_norm = 0.0f;
  LossColumns loss;  ///< no terms: the loss is not looked at
  math::StepState* state = nullptr;
  UpdateScratch* scratch = nullptr;
};

/// The global L2 norm, before the update: scratch->gradient_scale = min(1, clip_norm / norm). A gradient
/// that is not finite raises state->fault with the lowest such element, so that the update changes nothing;
/// so does, without an element, a row of a term of the loss, where terms are given.
void launch(const GradNormArgs& args, Stream stream);

struct UpdateArgs {
  float* parameters = nullptr;                ///< (P)
  float* moment1 = nullptr;                   ///< (P)
  float* moment2 = nullptr;                   ///< (P)
  const float* gradient = nullptr;            ///< (P)
  math::BFloat16* half_parameters = nullptr;  ///< (P) copy for the tensor cores, or null
  std::int64_t elements = 0;                  ///< P
  math::AdamConstants<float> constants{};
  bool clipped = false;  ///< a norm kernel ran before: use its gradient_scale, keep its partial sums
  AdvanceArgs advance;
  math::StepState* state = nullptr;
  UpdateScratch* scratch = nullptr;
};

/// Adam or AdamW over the flat arena; then, by the block that ends last, the step's metrics and the next
/// step's state. Where state->fault is set nothing changes, but with skip_nonfinite the step ends without an
/// update, its gradient norm NaN, and the fault is taken back. An element whose gradient or new value is
/// unusable is left alone and raises state->fault at the end of the launch, with the lowest such element; a
/// loss that is not finite raises it with element −1. The step of a fault is not advanced, and no metrics are
/// written for it.
void launch(const UpdateArgs& args, Stream stream);

struct SetStepArgs {
  AdvanceArgs advance;
  std::int64_t step = 0;
  math::StepState* state = nullptr;
  UpdateScratch* scratch = nullptr;
};

/// The state with which step `step` runs, computed on the device as the update computes it, so that a
/// resumed run has the same bits; clears a fault.
void launch(const SetStepArgs& args, Stream stream);

}  // namespace vaecuda::kernels
