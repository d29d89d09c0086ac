// What the posteriors of many rows say of each latent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/evaluate/moments.hpp"
#include "kernels/math/gaussian.h"

namespace vaecuda {

/// A latent is active if the mean of its posterior varies over the rows by more than this (Burda et al.,
/// arXiv 1509.00519, section 5).
inline constexpr double kActiveVariance = 0.01;

class LatentMoments {
 public:
  explicit LatentMoments(std::int64_t latents)
      : means_(static_cast<std::size_t>(latents)), kl_(static_cast<std::size_t>(latents)) {}

  /// The next row: means (Z) of its posteriors, and (Z) of what `factor` makes log variances; none where the
  /// latent has no posterior.
  void add(std::span<const float> mean, std::span<const float> scale, float factor) {
    for (std::size_t j = 0; j < means_.size(); ++j) {
      const auto mu = static_cast<double>(mean[j]);
      means_[j].add(mu);
      if (scale.empty()) continue;
      kl_[j].add(math::latent_kl(
          math::latent_posterior(mu, static_cast<double>(scale[j]), static_cast<double>(factor))));
    }
  }
  /// Of each latent, in their order.
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
