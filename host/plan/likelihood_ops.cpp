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

namespace {

/// Planes of the decoder's output; 0 where the likelihood is none of counts.
std::int64_t planes_of(const math::CountParameters& likelihood) {
  std::int64_t planes = 0;
  math::with_count_likelihood(
      likelihood.kind, [&](auto mass) { planes = math::count_planes(mass, likelihood.dispersion).all; });
  return planes;
}

/// log θ that are parameters: none, one, or one for each of so many columns.
std::int64_t dispersions_of(const math::CountParameters& likelihood, std::int64_t columns) {
  std::int64_t count = 0;
  math::with_count_likelihood(likelihood.kind, [&](auto mass) {
    if (mass.kHasDispersion && likelihood.dispersion == math::Dispersion::scalar) count = 1;
    if (mass.kHasDispersion && likelihood.dispersion == math::Dispersion::column) count = columns;
  });
  return count;
}

}  // namespace

OpViews CountLikelihood::operands(const CountLikelihood& op) {
  const auto& [likelihood, output, x, nll, gradient, log_dispersion, dispersion_gradient, gradient_scale] =
      op;
  return {{output, x}, {nll, gradient, dispersion_gradient}};
}

void CountLikelihood::check(const OpCheck& check) const {
  check.require(planes_of(likelihood) > 0, "a likelihood of counts");
  check.require(output.cols == planes_of(likelihood) * x.cols && is_samples_of(output, x),
                "x must be (B,D), output (B·K,P·D) with its planes");
  check.require(nll.rows == output.rows && nll.cols == 1, "nll must be (B·K,1)");
  check.require(!gradient.valid() || (gradient.is_shaped_like(output) && gradient.buffer != output.buffer),
                "gradient must have output's shape and a buffer of its own");
  const std::int64_t dispersions = dispersions_of(likelihood, x.cols);
  check.require(dispersions == 0
                    ? log_dispersion < 0
                    : log_dispersion >= 0 && log_dispersion + dispersions <= check.parameter_size(),
                "log_dispersion is not its parameters");
  check.require(dispersion_gradient.valid() == (dispersions > 0 && gradient.valid()),
                "dispersions that are parameters need their gradient");
  check.require(!dispersion_gradient.valid() ||
                    (dispersion_gradient.rows == output.rows && dispersion_gradient.cols == dispersions),
                "dispersion_gradient must be (B·K,1) or (B·K,D)");
}

std::string CountLikelihood::name() const {
  std::string name = "CountLikelihood ";
  math::with_count_likelihood(likelihood.kind, [&](auto mass) { name += mass.kName; });
  return name;
}

OpViews CountMean::operands(const CountMean& op) {
  const auto& [likelihood, output, x, mean, sum] = op;
  return {{output, x}, {mean}};
}

void CountMean::check(const OpCheck& check) const {
  check.require(planes_of(likelihood) > 0, "a likelihood of counts");
  check.require(output.rows == mean.rows && output.cols == planes_of(likelihood) * mean.cols &&
                    output.buffer != mean.buffer,
                "output must be (B,P·D) and mean (B,D), in another buffer");
  check.require(!x.valid() || x.is_shaped_like(mean), "x must be (B,D)");
}

}  // namespace vaecuda
