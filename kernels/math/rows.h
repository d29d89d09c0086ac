// How rows come into a batch.
#pragma once

namespace vaecuda::math {

enum class RowOrder : int { shuffled, sequential };
/// What becomes of a prepared value x: itself; x > ½; u ≤ x with u in (0,1] drawn.
enum class Binarize : int { none, threshold, stochastic };

}  // namespace vaecuda::math
