// Rows between a batch and a whole buffer that the host reads or writes, and the position that walks along.
#pragma once

#include <cstdint>

#include "kernels/math/step_state.h"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

struct StoreRowsArgs {
  InMatrix batch;          ///< (B,C)
  float* whole = nullptr;  ///< (N,C), rows `whole_stride` floats apart
  std::int64_t whole_stride = 0;
  std::int64_t whole_rows = 0;
  std::int64_t rows = 0;     ///< B
  std::int64_t columns = 0;  ///< C
  const math::StepState* state = nullptr;
};

/// whole[position − origin + i] = batch[i]; rows past the end of the whole are not stored.
void launch(const StoreRowsArgs& args, Stream stream);

struct LoadRowsArgs {
  InMatrix whole;  ///< (N,C)
  std::int64_t whole_rows = 0;
  OutMatrix batch;  ///< (B,C)
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const math::StepState* state = nullptr;
};

/// batch[i] = whole[min(position − origin + i, N − 1)].
void launch(const LoadRowsArgs& args, Stream stream);

struct AdvancePositionArgs {
  math::StepState* state = nullptr;
  std::int64_t batch = 0;
};

/// state->position += batch.
void launch(const AdvancePositionArgs& args, Stream stream);

struct SetPositionArgs {
  math::StepState* state = nullptr;
  std::int64_t position = 0;
  std::int64_t origin = 0;
};

/// state->position = position, state->origin = origin.
void launch(const SetPositionArgs& args, Stream stream);

}  // namespace vaecuda::kernels
