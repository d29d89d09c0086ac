// The likelihoods p(x|z) and their properties.
#pragma once

#include <string_view>

#include "vaecuda/export.h"

namespace vaecuda {

enum class Likelihood { bernoulli, gaussian, laplace };
/// Source of σ, for a likelihood that has it: a fixed number, one learned parameter, or the decoder, per
/// column.
enum class SigmaSource { fixed, learned, head };

struct LikelihoodTraits {
  std::string_view name;      ///< value of --likelihood
  bool has_sigma = false;     ///< a standard deviation, in prepared units
  bool unit_targets = false;  ///< values must lie in [0,1]
  bool is_mass = false;       ///< a probability mass, not a density: its nats do not depend on units
};

[[nodiscard]] VAECUDA_API LikelihoodTraits traits_of(Likelihood likelihood);

}  // namespace vaecuda
