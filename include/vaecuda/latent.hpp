// The kinds of latents and their properties.
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

/// Properties of a kind of latent, which decide what a model with it can do.
struct LatentTraits {
  std::string_view adjective;  ///< used in messages: "Gaussian"
  /// Rows have a posterior density q(z|x) = N(mean, e^logvar), and with it log variances, a KL per latent to
  /// the prior, and importance sampling.
  bool has_density = false;
  bool has_normal_prior = false;  ///< p(z) = N(0, 1), whose quantiles define latent_grid
  bool has_codes = false;         ///< a row's latent is one code per codebook
  std::string_view no_prior{};    ///< why the model cannot be sampled; empty if it has a prior
  [[nodiscard]] bool has_prior() const { return no_prior.empty(); }
};

[[nodiscard]] VAECUDA_API const LatentTraits& traits_of(LatentKind kind);

}  // namespace vaecuda
