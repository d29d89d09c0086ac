// The kinds of latents, and what each of them has.
#pragma once

#include <array>
#include <string_view>

#include "vaecuda/export.h"

namespace vaecuda {

enum class LatentKind { gaussian, deterministic, vq };

/// Values of --latent, in the order of the enumeration.
inline constexpr std::array<std::string_view, 3> kLatentNames{"gaussian", "deterministic", "vq"};
inline constexpr std::string_view kLatentHelp =
    "gaussian: a VAE; deterministic: a plain autoencoder, without noise and KL term; vq: each part of the "
    "latent becomes the nearest code of a codebook (VQ-VAE)";

/// What a model with such a latent can do.
struct LatentTraits {
  std::string_view adjective;  ///< "Gaussian": what messages call such a latent
  /// Rows have a posterior density q(z|x) = N(mean, e^logvar): log variances, a KL of each latent to the
  /// prior, and importance sampling.
  bool has_density = false;
  bool has_normal_prior = false;  ///< p(z) = N(0, 1), whose quantiles lay out a plane
  bool has_codes = false;         ///< a row is a choice from codebooks
  std::string_view no_prior{};    ///< why nothing can be drawn from a model; empty where it has a prior
  [[nodiscard]] bool has_prior() const { return no_prior.empty(); }
};

[[nodiscard]] VAECUDA_API const LatentTraits& traits_of(LatentKind kind);

}  // namespace vaecuda
