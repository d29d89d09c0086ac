// Tables of numbers as text: one row per line, with or without a header line and a column of labels.
#pragma once

#include <cstdint>
#include <string>

#include "host/data/bytes.hpp"
#include "host/data/label_builder.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// Reads a table as f32. \param label_column as in DataSource.
/// \throws FileError naming line and column for a row of another length and a cell that is not a finite
/// number, ConfigError if label_column names no column.
[[nodiscard]] Dataset read_csv(ByteSource& source, const std::string& label_column);

/// Reads a file with one label per line, numbers or text. A first line too many is a header.
[[nodiscard]] Labels read_label_csv(ByteSource& source, std::int64_t rows);

}  // namespace vaecuda::data
