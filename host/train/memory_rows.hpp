// Rows of a run that are in memory: what the configuration says of them, and which of its options they take.
#pragma once

#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

inline constexpr const char* kMemory = "(memory)";  ///< the path of rows that came from no file

/// Says in the configuration which rows are in memory, so that options that need them find them.
/// \throws ConfigError where it names a file for them as well
void enter_rows(RunConfig& config, RunData& rows);

/// Options that say how a file is read, for rows that come from none: they take effect, or are refused.
/// \throws ConfigError
void apply_file_options(const DataSource& asked, RunData& rows);

}  // namespace vaecuda
