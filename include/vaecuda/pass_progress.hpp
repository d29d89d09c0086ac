// Progress of a pass over many rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vaecuda {

/// Progress of a call that makes one or more passes over rows.
struct PassProgress {
  std::string_view pass;  ///< what the pass computes, in a word or two; of static storage duration
  std::int64_t rows = 0;  ///< done in this pass
  std::optional<std::int64_t> total;  ///< rows of this pass, if known
  std::optional<double> share;        ///< fraction of the whole call's work that is done, 0 to 1, if known
};

}  // namespace vaecuda
