// The values that a likelihood has a probability for.
#pragma once

namespace vaecuda::math {

/// In the order of vaecuda::ValueDomain.
enum class ValueDomain : int {
  real,   ///< any
  unit,   ///< [0,1]
  count,  ///< 0, 1, 2, …
};

}  // namespace vaecuda::math
