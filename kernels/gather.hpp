// GatherBatch: rows of the resident data set, prepared, in a keyed random order.
#pragma once

#include <cstdint>

#include "kernels/math/philox.h"
#include "kernels/math/rows.h"
#include "kernels/math/step_state.h"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

using math::Binarize;
using math::RowOrder;

/// Rows by their values other than 0 (CSR), columns ascending within a row. One of the two arrays of columns
/// and one of the three of values is there.
struct SparseSource {
  const std::int64_t* row_begin = nullptr;  ///< (N + 1)
  const std::uint16_t* narrow_columns = nullptr;
  const std::uint32_t* wide_columns = nullptr;
  const std::uint8_t* u8 = nullptr;
  const std::uint16_t* u16 = nullptr;
  const float* f32 = nullptr;
};

struct GatherArgs {
  const void* rows = nullptr;  ///< (N,D) without gaps between the rows, u8 or f32
  bool is_u8 = false;
  SparseSource sparse;                    ///< in place of rows where it has row_begin
  std::int64_t data_rows = 0;             ///< N
  OutMatrix x;                            ///< (B,D)
  const std::int32_t* classes = nullptr;  ///< (N) or null: the condition is one-hot of the row's class
  const float* label_vectors = nullptr;   ///< (N,C) without gaps, or null: the condition is the row's vector
  std::int64_t condition_columns = 0;     ///< C; 0: there is no condition
  OutMatrix condition;                    ///< (B,C)
  OutMatrix decoder_condition;            ///< (B·K,C), each row K times
  std::int64_t samples = 0;               ///< K; 0: no decoder_condition
  std::int64_t batch = 0;                 ///< B
  std::int64_t columns = 0;               ///< D
  RowOrder order = RowOrder::sequential;
  Binarize binarize = Binarize::none;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::binarize;  ///< of stochastic binarization
  float scale = 1.0f;
  const float* mean = nullptr;               ///< (D) or null: no standardization
  const float* inverse_deviation = nullptr;  ///< (D), null exactly where mean is
  const math::StepState* state = nullptr;    ///< position of row 0, and the origin
};

/// x[i] = binarize((raw[row] · scale − mean) · inverse_deviation) for p = position + i; row is
/// permutation(seed, p / N)(p mod N) if shuffled, min(p − origin, N − 1) if sequential. threshold: x > ½;
/// stochastic: u ≤ x, u in (0,1] of (seed, purpose, p, column). condition[i]
/// and rows i·K … i·K + K − 1 of decoder_condition: the label of the same row.
void launch(const GatherArgs& args, Stream stream);

}  // namespace vaecuda::kernels
