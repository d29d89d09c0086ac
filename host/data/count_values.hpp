// Whether values are counts, and what a run says of them.
#pragma once

#include "host/data/check_values.hpp"
#include "host/data/prepare.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// Throws FileError, with file, row and column, for a value that is no whole number from 0 to 2^24.
void check_counts(const Dataset& data);
void check_counts(const NamedRows& rows);

/// The mean of the training rows' sums, and a warning of rows without any count.
void survey_counts(PreparedData& prepared);

}  // namespace vaecuda
