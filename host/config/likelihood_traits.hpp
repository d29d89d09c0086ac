// What the host has to know of a likelihood, taken from its functor.
#pragma once

#include <string_view>

#include "kernels/math/likelihood.h"
#include "vaecuda/config.hpp"

namespace vaecuda {

struct LikelihoodTraits {
  std::string_view name;
  bool has_sigma = false;
  bool unit_targets = false;  ///< targets must lie in [0,1]
};

[[nodiscard]] inline math::LikelihoodKind kind_of(Likelihood likelihood) {
  return static_cast<math::LikelihoodKind>(likelihood);
}

[[nodiscard]] inline LikelihoodTraits traits_of(Likelihood likelihood) {
  LikelihoodTraits traits;
  math::with_likelihood(kind_of(likelihood), [&](auto functor) {
    using Functor = decltype(functor);
    traits = {Functor::kName, Functor::kHasSigma, Functor::kUnitTargets};
  });
  return traits;
}

}  // namespace vaecuda
