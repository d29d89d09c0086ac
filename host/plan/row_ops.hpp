// Rows in and out: of the data set into a batch, of a pass into whole buffers.
#pragma once

#include <cstdint>
#include <string>

#include "host/plan/op.hpp"
#include "kernels/math/philox.h"
#include "kernels/math/rows.h"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

using math::Binarize;
using math::RowOrder;

/// x (B,D) = prepared rows of the data set at positions p = position + i; with `source` valid, of that
/// exchange buffer.
/// shuffled: row = permutation(seed, p / N)(p mod N). sequential: row = min(p − origin, N − 1).
/// prepared = binarize((raw · scale − mean) · inverse_deviation), the last two where given.
/// threshold: x > ½. stochastic: u ≤ x with u in (0,1] drawn by (seed, purpose, p, column), so that 1 stays 1
/// and 0 stays 0.
/// condition (B,C): the row's label, a vector of the data set or one-hot of its class; decoder_condition
/// (B·K,C): the same K times.
struct GatherBatch {
  View x;
  View source;             ///< (N,D) raw rows, or invalid
  View condition;          ///< or invalid
  View decoder_condition;  ///< or invalid
  View condition_source;   ///< (N,C) labels as vectors, or invalid: they come with the data set
  bool label_vectors = false;
  RowOrder order = RowOrder::sequential;
  std::int64_t data_rows = 0;
  ElementType type = ElementType::f32;
  double sparse_row_bytes = 0.0;  ///< mean size of a raw row where type is sparse
  std::uint64_t seed = 0;
  float scale = 1.0f;
  View mean;               ///< (1,D) or invalid
  View inverse_deviation;  ///< (1,D) or invalid
  Binarize binarize = Binarize::none;
  math::RandomPurpose purpose = math::RandomPurpose::binarize;

  [[nodiscard]] std::string name() const { return "GatherBatch"; }
  [[nodiscard]] static OpViews operands(const GatherBatch& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// out (B,D) = what the encoder reads of prepared rows x (B,D), which are not negative.
struct TransformInput {
  math::InputTransform kind = math::InputTransform::none;
  View x;
  View out;

  [[nodiscard]] std::string name() const { return "TransformInput"; }
  [[nodiscard]] static OpViews operands(const TransformInput& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// Rows between a batch and a whole (N,C) buffer that the host reads or writes: batch row i ↔ row position −
/// origin + i. Rows past the end of the whole are not stored; when loading they repeat the last.
struct StoreRows {
  View batch;
  View whole;

  [[nodiscard]] std::string name() const { return "StoreRows"; }
  [[nodiscard]] static OpViews operands(const StoreRows& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

struct LoadRows {
  View whole;
  View batch;

  [[nodiscard]] std::string name() const { return "LoadRows"; }
  [[nodiscard]] static OpViews operands(const LoadRows& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// Ends a pass without training: position += B.
struct AdvancePosition {
  std::int64_t batch = 0;

  [[nodiscard]] std::string name() const { return "AdvancePosition"; }
  [[nodiscard]] static OpViews operands(const AdvancePosition& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

using RowOps = OpList<GatherBatch, TransformInput, StoreRows, LoadRows, AdvancePosition>;

}  // namespace vaecuda
