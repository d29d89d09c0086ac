// Moments of each latent over the posteriors of many rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/evaluate/moments.hpp"
#include "kernels/math/gaussian.h"

namespace vaecuda {

/// A latent is active if the variance of its posterior mean over the rows is above this (Burda et al., arXiv
/// 1509.00519, section 5).
inline constexpr double kActiveVariance = 0.01;

class LatentMoments {
 public:
  explicit LatentMoments(std::int64_t latents)
      : means_(static_cast<std::size_t>(latents)), kl_(static_cast<std::size_t>(latents)) {}

  /// Adds a row: its posterior means (Z), and the values (Z) that times `factor` are its log variances; empty
  /// if the latent has no posterior.
  void add(std::span<const float> mean, std::span<const float> scale, float factor) {
    for (std::size_t j = 0; j < means_.size(); ++j) {
      const auto mu = static_cast<double>(mean[j]);
      means_[j].add(mu);
      if (scale.empty()) continue;
      kl_[j].add(math::latent_kl(
          math::latent_posterior(mu, static_cast<double>(scale[j]), static_cast<double>(factor))));
    }
  }
  /// Figures of each latent, in order.
  [[nodiscard]] const std::vector<Moments>& means() const { return means_; }
  [[nodiscard]] const std::vector<Moments>& kl() const { return kl_; }
  [[nodiscard]] std::int64_t active_units(double threshold = kActiveVariance) const {
    std::int64_t count = 0;
    for (const Moments& mean : means_) count += mean.variance() > threshold ? 1 : 0;
    return count;
  }

 private:
  std::vector<Moments> means_;
  std::vector<Moments> kl_;
};

}  // namespace vaecuda
