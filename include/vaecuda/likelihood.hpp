// The likelihoods p(x|z), and what each of them has.
#pragma once

#include <string_view>

#include "vaecuda/export.h"

namespace vaecuda {

enum class Likelihood { bernoulli, gaussian, laplace };
/// Where the σ of one that has it comes from: a number, one parameter of the model, or the decoder, for every
/// column.
enum class SigmaSource { fixed, learned, head };

struct LikelihoodTraits {
  std::string_view name;      ///< value of --likelihood
  bool has_sigma = false;     ///< a standard deviation, in prepared units
  bool unit_targets = false;  ///< values must lie in [0,1]
  bool is_mass = false;  ///< gives each value a probability, not a density: its nats do not depend on units
};

[[nodiscard]] VAECUDA_API LikelihoodTraits traits_of(Likelihood likelihood);

}  // namespace vaecuda
