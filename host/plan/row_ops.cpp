#include "host/plan/row_ops.hpp"

#include "host/plan/plan.hpp"

namespace vaecuda {
namespace {

void check_transfer(const OpCheck& check, const View& batch, const View& whole) {
  check.require(batch.is_shaped(check.batch(), whole.cols), "batch must be (B,C)");
  check.require(check.plan().buffers[static_cast<std::size_t>(whole.buffer)].kind == BufferKind::exchange,
                "whole rows live in an exchange buffer");
}

/// Of the rows of the data set that a batch is made of.
double raw_bytes(const GatherBatch& op) {
  switch (op.type) {
    case ElementType::u8:
      return op.x.elements();
    case ElementType::f32:
      break;
    case ElementType::sparse:
      return static_cast<double>(op.x.rows) * op.sparse_row_bytes;
  }
  return 4.0 * op.x.elements();
}

}  // namespace

OpViews GatherBatch::operands(const GatherBatch& op) {
  const auto& [x, source, condition, decoder_condition, condition_source, label_vectors, order, data_rows,
               type, sparse_row_bytes, seed, scale, mean, inverse_deviation, binarize, purpose] = op;
  return {{source, condition_source, mean, inverse_deviation}, {x, condition, decoder_condition}};
}

void GatherBatch::check(const OpCheck& check) const {
  check.require(x.rows == check.batch() && data_rows > 0, "x must have B rows");
  check.require(!source.valid() || (source.rows == data_rows && source.cols == x.cols &&
                                    source.stride == x.cols && type == ElementType::f32),
                "source must be (N,D) in fp32 without gaps");
  check.require(!condition.valid() || condition.rows == check.batch(), "condition must have B rows");
  check.require(!condition_source.valid() ||
                    (condition_source.rows == data_rows && condition_source.cols == condition.cols),
                "condition_source must be (N,C)");
  check.require(!decoder_condition.valid() ||
                    (condition.cols == decoder_condition.cols && decoder_condition.rows % check.batch() == 0),
                "decoder_condition must be (B·K,C)");
  check.require(mean.valid() == inverse_deviation.valid(), "mean and deviation go together");
  check.require(!mean.valid() || (mean.cols == x.cols && inverse_deviation.cols == x.cols),
                "mean must have D columns");
}

OpCost GatherBatch::cost() const {
  OpCost cost = moved(operands(*this));
  cost.bytes -= 4.0 * source.elements();  // of which a batch is read
  cost.bytes += raw_bytes(*this);
  return cost;
}

OpViews TransformInput::operands(const TransformInput& op) {
  const auto& [kind, x, out] = op;
  return {{x}, {out}};
}

void TransformInput::check(const OpCheck& check) const {
  check.require(x.is_shaped_like(out) && x.buffer != out.buffer, "out must be (B,D) as x, in another buffer");
}

OpViews StoreRows::operands(const StoreRows& op) {
  const auto& [batch, whole] = op;
  return {{batch}, {whole}};
}

void StoreRows::check(const OpCheck& check) const {
  check_transfer(check, batch, whole);
}

OpCost StoreRows::cost() const {
  return {0.0, 8.0 * batch.elements()};
}

OpViews LoadRows::operands(const LoadRows& op) {
  const auto& [whole, batch] = op;
  return {{whole}, {batch}};
}

void LoadRows::check(const OpCheck& check) const {
  check_transfer(check, batch, whole);
}

OpCost LoadRows::cost() const {
  return {0.0, 8.0 * batch.elements()};
}

OpViews AdvancePosition::operands(const AdvancePosition& op) {
  [[maybe_unused]] const auto& [batch] = op;
  return {{}, {}};
}

void AdvancePosition::check(const OpCheck& check) const {
  check.require(batch == check.batch(), "position advances by B");
}

}  // namespace vaecuda
