#include "host/plan/latent_ops.hpp"

namespace vaecuda {

OpViews LatentForward::operands(const LatentForward& op) {
  const auto& [head, z, kl, log_ratio, scale_head, seed, purpose, sample] = op;
  return {{head}, {z, kl, log_ratio}};
}

void LatentForward::check(const OpCheck& check) const {
  check.require(head.cols == 2 * z.cols && is_samples_of(z, head), "head must be (B,2Z), z (B·K,Z)");
  check.require(!kl.valid() || (kl.rows == head.rows && kl.cols == 1), "kl must be (B,1)");
  check.require(!log_ratio.valid() || (log_ratio.rows == z.rows && log_ratio.cols == 1),
                "log_ratio must be (B·K,1)");
}

OpViews LatentKl::operands(const LatentKl& op) {
  const auto& [head, kl, slope, term, scale_head, kind, free_bits] = op;
  return {{head}, {kl, slope, term}};
}

void LatentKl::check(const OpCheck& check) const {
  check.require(kl.rows == 1 && head.cols == 2 * kl.cols, "kl must be (1,Z), head (B,2Z)");
  check.require(kl.is_shaped_like(slope) && term.rows == 1 && term.cols == 1,
                "slope must be (1,Z), term (1,1)");
  check.require(kl.buffer != slope.buffer && free_bits >= 0.0f,
                "kl and slope are two buffers, free bits >= 0");
}

std::string LatentKl::name() const {
  return kind == math::KlTermKind::free_bits ? "LatentKl free bits" : "LatentKl capacity";
}

OpViews LatentBackward::operands(const LatentBackward& op) {
  const auto& [head, dz, dhead, kl_slope, weights, scale_head, seed, purpose, gradient_scale] = op;
  return {{head, dz, kl_slope, weights}, {dhead}};
}

void LatentBackward::check(const OpCheck& check) const {
  check.require(head.is_shaped_like(dhead) && head.cols == 2 * dz.cols && is_samples_of(dz, head), "shapes");
  check.require(!kl_slope.valid() || (kl_slope.rows == 1 && kl_slope.cols == dz.cols),
                "kl_slope must be (1,Z)");
  check.require(!weights.valid() || (weights.rows == dz.rows && weights.cols == 1),
                "weights must be (B·K,1)");
}

OpViews LatentPenalty::operands(const LatentPenalty& op) {
  const auto& [z, penalty, dz, gradient_scale] = op;
  return {{z, dz}, {penalty, dz}};
}

void LatentPenalty::check(const OpCheck& check) const {
  check.require(penalty.rows == z.rows && penalty.cols == 1, "penalty must be (B,1)");
  check.require(!dz.valid() || dz.is_shaped_like(z), "dz must have z's shape");
}

OpViews ImportanceWeights::operands(const ImportanceWeights& op) {
  const auto& [nll, log_ratio, loss, weights, reconstruction, kl] = op;
  return {{nll, log_ratio}, {loss, weights, reconstruction, kl}};
}

void ImportanceWeights::check(const OpCheck& check) const {
  const auto is_column = [](const View& view, std::int64_t rows) {
    return view.rows == rows && view.cols == 1;
  };
  check.require(loss.cols == 1 && is_samples_of(nll, loss), "loss must be (B,1), nll (B·K,1)");
  check.require(is_column(nll, nll.rows) && is_column(log_ratio, nll.rows), "log_ratio must be (B·K,1)");
  check.require(!weights.valid() || is_column(weights, nll.rows), "weights must be (B·K,1)");
  for (const View& mean : {reconstruction, kl}) {
    check.require(!mean.valid() || is_column(mean, loss.rows), "means must be (B,1)");
  }
}

OpViews WeighRows::operands(const WeighRows& op) {
  const auto& [weights, rows, scale] = op;
  return {{weights, rows}, {rows}};
}

void WeighRows::check(const OpCheck& check) const {
  check.require(weights.rows == rows.rows && weights.cols == 1, "weights must be (N,1)");
}

OpViews SamplePrior::operands(const SamplePrior& op) {
  const auto& [z, seed, purpose, temperature] = op;
  return {{}, {z}};
}

void SamplePrior::check(const OpCheck& check) const {
  check.require(z.rows == check.batch(), "z must have B rows");
}

}  // namespace vaecuda
