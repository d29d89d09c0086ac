// What the page shows of a trained model on rows: latents and interpolations between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/report/image.hpp"
#include "host/report/principal_axes.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

struct KlOfLatent {
  std::int64_t latent = 0;
  double kl = 0.0;      ///< nats, mean over the rows
  bool active = false;  ///< variance of the posterior mean over the rows above 0.01 (arXiv 1509.00519)
};

struct LatentView {
  std::int64_t rows = 0;
  std::vector<KlOfLatent> kl;  ///< of every latent, the largest first, not finite ones last; empty unless
                               ///< the latent is Gaussian
  PlaneView plane;             ///< posterior means: unchanged for two latents, else on their principal axes
  bool principal = false;
  std::vector<std::int32_t> labels;  ///< one per row, or empty
  std::vector<std::string> label_names;
  std::optional<Image> interpolations;  ///< a line for each pair of rows
  std::vector<std::string> way_names;   ///< of each line: "4 → 5", and the class for a conditional model
  std::int64_t way_steps = 0;           ///< pictures in a line, ends included
  std::string no_interpolations;        ///< why there are none
};

/// From the first rows of `data`, 4,000 at most. \throws FileError, OutOfMemoryError, DeviceError
[[nodiscard]] LatentView view_latents(const Vae& vae, const Dataset& data);

}  // namespace vaecuda
