#include "host/plan/step_ops.hpp"

#include "host/plan/plan.hpp"

namespace vaecuda {

OpViews GradNorm::operands(const GradNorm& op) {
  const auto& [clip_norm, nll, kl, kl_term, loss] = op;
  return {{nll, kl, kl_term, loss}, {}};
}

void GradNorm::check(const OpCheck& check) const {
  check.require(clip_norm > 0.0f, "clip_norm must be positive");
  check.require(!nll.valid() || (nll.cols == 1 && nll.rows % check.batch() == 0), "nll must be (B·K,1)");
  check.require(!kl.valid() || (kl.cols == 1 && kl.rows == check.batch()), "kl must be (B,1)");
  check.require(!kl_term.valid() || (kl_term.cols == 1 && kl_term.rows == 1), "kl_term must be (1,1)");
  check.require(!loss.valid() || (loss.cols == 1 && loss.rows == check.batch()), "loss must be (B,1)");
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
  const auto& [nll, kl, kl_term, loss, perplexity, schedule, beta1, beta2, kl_schedule, skip_nonfinite] = op;
  return {{nll, kl, kl_term, loss, perplexity}, {}};
}

void AdvanceStep::check(const OpCheck& check) const {
  check.require(nll.cols == 1 && nll.rows % check.batch() == 0, "nll must be (B·K,1)");
  for (const View& rows : {kl, loss}) {
    check.require(!rows.valid() || (rows.cols == 1 && rows.rows == check.batch()),
                  "kl and loss must be (B,1)");
  }
  check.require(!kl_term.valid() || (kl_term.rows == 1 && kl_term.cols == 1), "kl_term must be (1,1)");
}

}  // namespace vaecuda
