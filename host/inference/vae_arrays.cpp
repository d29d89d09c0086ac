// The members of Vae that take and give whole arrays, by way of those that work block by block.
#include <algorithm>

#include "host/data/forwarded_rows.hpp"
#include "host/inference/latents.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

/// An array's columns are the model's, by the contract of who gives it.
class ArrayRows final : public data::ForwardedRows {
 public:
  ArrayRows(RowSource& rows, const std::vector<std::string>& names) : ForwardedRows(rows), names_(names) {}
  [[nodiscard]] const std::vector<std::string>& column_names() const override { return names_; }

 private:
  const std::vector<std::string>& names_;
};

void append(std::vector<float>& all, std::span<const float> block) {
  all.insert(all.end(), block.begin(), block.end());
}

}  // namespace

Encoded Vae::encode(std::span<const float> x) const {
  Encoded all;
  const auto values = rows_of(x, info().model.input_dim);
  ArrayRows rows(*values, info().column_names);
  encode(rows, [&](const EncodedBlock& block) {
    append(all.mean, block.mean);
    append(all.logvar, block.logvar);
    append(all.codes, block.codes);
  });
  return all;
}

std::vector<float> Vae::decode(std::span<const float> z) const {
  const auto rows = rows_of(z, info().model.latent_dim);
  std::vector<float> all = room_for(rows->rows().value_or(0), info().model.input_dim, "rows");
  decode(*rows, [&](const DecodedBlock& block) { append(all, block.mean); });
  return all;
}

std::vector<float> Vae::reconstruct(std::span<const float> x) const {
  std::vector<float> all;
  const auto values = rows_of(x, info().model.input_dim);
  ArrayRows rows(*values, info().column_names);
  reconstruct(rows, [&](const ReconstructedBlock& block) { append(all, block.mean); });
  return all;
}

std::vector<float> Vae::sample(std::int64_t count, std::uint64_t seed, double temperature) const {
  std::vector<float> all = room_for(std::max<std::int64_t>(count, 0), info().model.input_dim, "rows");
  sample(count, seed, temperature, [&](const DecodedBlock& block) { append(all, block.mean); });
  return all;
}

std::vector<float> Vae::interpolate(std::span<const float> z1, std::span<const float> z2, std::int64_t steps,
                                    bool spherical) const {
  return decode(interpolate_latents(z1, z2, steps, spherical));
}

ElboTerms Vae::elbo(std::span<const float> x, std::uint64_t seed) const {
  ElboTerms all;
  const auto values = rows_of(x, info().model.input_dim);
  ArrayRows rows(*values, info().column_names);
  elbo(rows, seed, [&](const ElboBlock& block) {
    append(all.reconstruction, block.reconstruction);
    append(all.kl, block.kl);
  });
  return all;
}

std::vector<float> Vae::log_likelihood(std::span<const float> x, std::int64_t samples,
                                       std::uint64_t seed) const {
  std::vector<float> all;
  const auto values = rows_of(x, info().model.input_dim);
  ArrayRows rows(*values, info().column_names);
  log_likelihood(rows, samples, seed,
                 [&](const LogLikelihoodBlock& block) { append(all, block.log_likelihood); });
  return all;
}

}  // namespace vaecuda
