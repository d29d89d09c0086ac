#include "host/config/likelihood_traits.hpp"

#include <utility>

#include "host/config/enumerators.hpp"

namespace vaecuda {
namespace {

/// The compiler's note on a failure says which place and functor.
template <int kPlace, typename Functor>
constexpr bool has_its_place() {
  static_assert(config::EnumeratorText<static_cast<Likelihood>(kPlace)>::kText == Functor::kName,
                "kName of this functor is not the text of the enumerator in its place ('_' is written '-')");
  return true;
}

template <typename... Functors>
constexpr bool are_the_likelihoods(math::LikelihoodTable<Functors...> /*table*/) {
  static_assert(config::enumerator_count<Likelihood>() == sizeof...(Functors),
                "an enumerator without a functor in the table, or a functor without an enumerator");
  return []<int... kPlaces>(std::integer_sequence<int, kPlaces...> /*places*/) {
    return (has_its_place<kPlaces, Functors>() && ...);
  }
  (std::make_integer_sequence<int, sizeof...(Functors)>{});
}

}  // namespace

math::LikelihoodKind kind_of(Likelihood likelihood) {
  static_assert(are_the_likelihoods(math::Likelihoods{}));
  return static_cast<math::LikelihoodKind>(likelihood);
}

LikelihoodTraits traits_of(Likelihood likelihood) {
  LikelihoodTraits traits;
  math::with_likelihood(kind_of(likelihood), [&](auto functor) {
    using Functor = decltype(functor);
    traits = {.name = Functor::kName,
              .domain = config::same_as<ValueDomain>(Functor::kDomain),
              .has_sigma = Functor::kHasSigma,
              .is_mass = Functor::kIsMass};
    if constexpr (Functor::kDomain == math::ValueDomain::count) {
      traits.has_dispersion = Functor::kHasDispersion;
      traits.has_rate = !Functor::kIsOfRow;
    }
  });
  return traits;
}

std::int64_t output_planes(const ModelConfig& model) {
  std::int64_t planes = model.sigma_source == SigmaSource::head ? 2 : 1;
  math::with_count_likelihood(kind_of(model.likelihood), [&](auto mass) {
    planes = math::count_planes(mass, config::same_as<math::Dispersion>(model.dispersion.value())).all;
  });
  return planes;
}

std::int64_t dispersion_parameters(const ModelConfig& model) {
  if (!traits_of(model.likelihood).has_dispersion) return 0;
  switch (model.dispersion.value()) {
    case Dispersion::scalar:
      return 1;
    case Dispersion::column:
      return model.input_dim;
    case Dispersion::entry:
      return 0;
  }
  return 0;
}

bool rates_are_shares(const ModelConfig& model) {
  return !traits_of(model.likelihood).has_rate || model.rate == Rate::softmax;
}

bool rates_have_row_sum(const ModelConfig& model) {
  return !traits_of(model.likelihood).has_rate || model.library == LibrarySize::row_sum;
}

bool has_given_sigma(const ModelConfig& model) {
  return traits_of(model.likelihood).has_sigma && model.sigma_source == SigmaSource::fixed;
}

}  // namespace vaecuda
