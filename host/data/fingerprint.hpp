// Whether two data sets are the same, by a number.
#pragma once

#include <cstdint>

#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// A hash of everything that training and a model file take from a data set: sizes, elements, labels, names,
/// picture shape. Not its path. Finds accidents; it is no protection against a forger. `basis` continues an
/// earlier hash.
[[nodiscard]] std::uint64_t fingerprint(const Dataset& data, std::uint64_t basis = 0);

}  // namespace vaecuda
