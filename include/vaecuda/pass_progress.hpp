// How far a pass over many rows is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vaecuda {

/// Where a call that passes over rows stands, once or several times.
struct PassProgress {
  std::string_view pass;              ///< what it computes, in a word or two; valid as long as the program
  std::int64_t rows = 0;              ///< of this pass, done
  std::optional<std::int64_t> total;  ///< rows of this pass, where that is known
  std::optional<double> share;        ///< of the whole call's work that is done, 0 to 1, where that is known
};

}  // namespace vaecuda
