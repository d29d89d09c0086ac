#include "host/plan/step_ops.hpp"

#include "host/plan/plan.hpp"

namespace vaecuda {

namespace {

std::vector<View> views_of(const std::vector<LossRows>& loss) {
  std::vector<View> views;
  views.reserve(loss.size());
  for (const LossRows& term : loss) views.push_back(term.rows);
  return views;
}

void check_loss(const OpCheck& check, const std::vector<LossRows>& loss) {
  check.require(loss.size() <= static_cast<std::size_t>(math::kMaxLossTerms), "too many terms of the loss");
  std::uint32_t kinds = 0;
  for (const LossRows& part : loss) {
    const View& rows = part.rows;
    check.require(
        rows.valid() && (rows.is_shaped(1, 1) || (rows.cols == 1 && rows.rows % check.batch() == 0)),
        "a term of the loss must be (B,1), (B·K,1) or (1,1)");
    const std::uint32_t kind = 1U << static_cast<int>(part.term.kind);
    check.require((kinds & kind) == 0, "a kind of term stands in the loss twice");
    kinds |= kind;
  }
}

}  // namespace

math::LossTermList terms_of(const std::vector<LossRows>& loss) {
  math::LossTermList list;
  for (const LossRows& part : loss) list.term[list.count++] = part.term;
  return list;
}

OpViews GradNorm::operands(const GradNorm& op) {
  [[maybe_unused]] const auto& [clip_norm, loss] = op;
  return {views_of(loss), {}};
}

void GradNorm::check(const OpCheck& check) const {
  check.require(clip_norm > 0.0f, "clip_norm must be positive");
  check_loss(check, loss);
}

OpCost GradNorm::cost() const {
  return {};
}

std::int64_t AdamUpdate::elements() const {
  std::int64_t sum = 0;
  for (const ParameterRange& range : ranges) sum += range.count;
  return sum;
}

OpViews AdamUpdate::operands(const AdamUpdate& op) {
  [[maybe_unused]] const auto& [constants, ranges] = op;
  return {{}, {}};
}

void AdamUpdate::check(const OpCheck& check) const {
  check.require(!ranges.empty(), "nothing to update");
  std::int64_t end = 0;
  for (const ParameterRange& range : ranges) {
    check.require(range.count > 0 && range.offset >= end, "ranges must be in order, apart from each other");
    end = range.end();
    for (const Op& op : check.plan().ops) {
      const auto* average = std::get_if<CodebookAverage>(&op);
      const std::int64_t codes = average != nullptr ? average->batch.codebook.codes : range.end();
      check.require(codes >= range.end() ||
                        (average != nullptr && codes + average->batch.codebook.elements() <= range.offset),
                    "Adam and moving averages move the same codes");
    }
  }
  check.require(end <= check.parameter_size(), "a range past the arena's end");
}

OpCost AdamUpdate::cost() const {
  return {0.0, 28.0 * static_cast<double>(elements())};  // g read; p, m, v read and written
}

OpViews AdvanceStep::operands(const AdvanceStep& op) {
  const auto& [loss, perplexity, schedule, beta1, beta2, loss_schedule, skip_nonfinite] = op;
  std::vector<View> reads = views_of(loss);
  reads.push_back(perplexity);
  return {std::move(reads), {}};
}

void AdvanceStep::check(const OpCheck& check) const {
  check.require(!loss.empty(), "a step without a loss");
  check_loss(check, loss);
  check.require(!perplexity.valid() || perplexity.cols == 1, "perplexity must be (G,1)");
}

}  // namespace vaecuda
