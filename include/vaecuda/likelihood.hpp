// The likelihoods p(x|z) and their properties.
#pragma once

#include <string_view>

#include "vaecuda/export.h"

namespace vaecuda {

enum class Likelihood { bernoulli, gaussian, laplace, poisson, nb, zinb, multinomial };
/// Source of σ, for a likelihood that has it: a fixed number, one learned parameter, or the decoder, per
/// column.
enum class SigmaSource { fixed, learned, head };

/// The dispersion θ of a negative binomial, whose variance is μ + μ²/θ: one parameter of the model, one for
/// each column, or an output of the decoder for every entry.
enum class Dispersion { scalar, column, entry };
/// What the rates of a row of counts are multiplied by: the row's sum, or nothing.
enum class LibrarySize { row_sum, one };
/// How rates follow from the decoder's output: shares of the row that sum to 1, or each by itself.
enum class Rate { softmax, softplus };

/// The values that a likelihood has a probability for.
enum class ValueDomain {
  real,   ///< any
  unit,   ///< [0,1]
  count,  ///< 0, 1, 2, …
};

struct LikelihoodTraits {
  std::string_view name;  ///< value of --likelihood
  ValueDomain domain = ValueDomain::real;
  bool has_sigma = false;       ///< a standard deviation, in prepared units
  bool is_mass = false;         ///< a probability mass, not a density: its nats do not depend on units
  bool has_dispersion = false;  ///< θ of a negative binomial
  bool has_rate = false;        ///< of counts, whose rates --rate and --library choose
};

[[nodiscard]] VAECUDA_API LikelihoodTraits traits_of(Likelihood likelihood);

}  // namespace vaecuda
