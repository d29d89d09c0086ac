#include "host/plan/likelihood_ops.hpp"

namespace vaecuda {

OpViews LikelihoodForwardBackward::operands(const LikelihoodForwardBackward& op) {
  const auto& [likelihood, output, x, nll, gradient, log_sigma, sigma_gradient, gradient_scale] = op;
  return {{output, x}, {nll, gradient, sigma_gradient}};
}

void LikelihoodForwardBackward::check(const OpCheck& check) const {
  const bool has_head = likelihood.source == math::SigmaSource::head;
  check.require(output.cols == (has_head ? 2 : 1) * x.cols && is_samples_of(output, x),
                "x must be (B,D), output (B·K,D), with sigma from the head (B·K,2D)");
  check.require(nll.rows == output.rows && nll.cols == 1, "nll must be (B·K,1)");
  check.require(!gradient.valid() || gradient.is_shaped_like(output), "gradient must have output's shape");
  const bool is_learned = likelihood.source == math::SigmaSource::learned;
  check.require(!is_learned || (log_sigma >= 0 && log_sigma < check.parameter_size()),
                "log_sigma is no parameter");
  check.require(sigma_gradient.valid() == (is_learned && gradient.valid()),
                "a learned sigma needs its gradient");
  check.require(!sigma_gradient.valid() || sigma_gradient.is_shaped_like(nll),
                "sigma_gradient must be (B,1)");
}

std::string LikelihoodForwardBackward::name() const {
  std::string name = "Likelihood ";
  math::with_likelihood(likelihood.kind, [&](auto f) { name += f.kName; });
  return name;
}

OpViews ObservationMean::operands(const ObservationMean& op) {
  const auto& [likelihood, output, mean] = op;
  return {{output}, {mean}};
}

void ObservationMean::check(const OpCheck& check) const {
  check.require(output.is_shaped_like(mean), "shapes");
}

}  // namespace vaecuda
