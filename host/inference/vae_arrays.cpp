// The members of Vae that take and give whole arrays, by way of those that work block by block.
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

void append(std::vector<float>& all, std::span<const float> block) {
  all.insert(all.end(), block.begin(), block.end());
}

}  // namespace

Encoded Vae::encode(std::span<const float> x) const {
  Encoded all;
  const auto rows = rows_of(x, info().model.input_dim);
  encode(*rows, [&](const EncodedBlock& block) {
    append(all.mean, block.mean);
    append(all.logvar, block.logvar);
    append(all.codes, block.codes);
  });
  return all;
}

std::vector<float> Vae::decode(std::span<const float> z) const {
  std::vector<float> all;
  const auto rows = rows_of(z, info().model.latent_dim);
  decode(*rows, [&](const DecodedBlock& block) { append(all, block.mean); });
  return all;
}

std::vector<float> Vae::reconstruct(std::span<const float> x) const {
  std::vector<float> all;
  const auto rows = rows_of(x, info().model.input_dim);
  reconstruct(*rows, [&](const ReconstructedBlock& block) { append(all, block.mean); });
  return all;
}

std::vector<float> Vae::sample(std::int64_t count, std::uint64_t seed, double temperature) const {
  std::vector<float> all;
  sample(count, seed, temperature, [&](const DecodedBlock& block) { append(all, block.mean); });
  return all;
}

std::vector<float> Vae::interpolate(std::span<const float> z1, std::span<const float> z2, std::int64_t steps,
                                    bool spherical) const {
  return decode(interpolate_latents(z1, z2, steps, spherical));
}

ElboTerms Vae::elbo(std::span<const float> x, std::uint64_t seed) const {
  ElboTerms all;
  const auto rows = rows_of(x, info().model.input_dim);
  elbo(*rows, seed, [&](const ElboBlock& block) {
    append(all.reconstruction, block.reconstruction);
    append(all.kl, block.kl);
  });
  return all;
}

std::vector<float> Vae::log_likelihood(std::span<const float> x, std::int64_t samples,
                                       std::uint64_t seed) const {
  std::vector<float> all;
  const auto rows = rows_of(x, info().model.input_dim);
  log_likelihood(*rows, samples, seed,
                 [&](const LogLikelihoodBlock& block) { append(all, block.log_likelihood); });
  return all;
}

}  // namespace vaecuda
