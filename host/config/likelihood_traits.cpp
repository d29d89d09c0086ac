#include "host/config/likelihood_traits.hpp"

#include <utility>

#include "host/config/enumerators.hpp"

namespace vaecuda {
namespace {

template <typename... Functors>
constexpr bool are_the_likelihoods(math::LikelihoodTable<Functors...> /*table*/) {
  if (config::enumerator_count<Likelihood>() != sizeof...(Functors)) return false;
  return []<int... kPlaces>(std::integer_sequence<int, kPlaces...> /*places*/) {
    return ((config::enumerator_name<static_cast<Likelihood>(kPlaces)>() == Functors::kName) && ...);
  }
  (std::make_integer_sequence<int, sizeof...(Functors)>{});
}

}  // namespace

math::LikelihoodKind kind_of(Likelihood likelihood) {
  static_assert(are_the_likelihoods(math::Likelihoods{}),
                "the enumeration and the table have not the same likelihoods");
  return static_cast<math::LikelihoodKind>(likelihood);
}

LikelihoodTraits traits_of(Likelihood likelihood) {
  LikelihoodTraits traits;
  math::with_likelihood(kind_of(likelihood), [&](auto functor) {
    using Functor = decltype(functor);
    traits = {Functor::kName, Functor::kHasSigma, Functor::kUnitTargets, Functor::kIsMass};
  });
  return traits;
}

std::int64_t output_planes(const ModelConfig& model) {
  return model.sigma_source == SigmaSource::head ? 2 : 1;
}

bool has_given_sigma(const ModelConfig& model) {
  return traits_of(model.likelihood).has_sigma && model.sigma_source == SigmaSource::fixed;
}

}  // namespace vaecuda
