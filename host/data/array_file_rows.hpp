// The rows of an array's file on demand, for the formats that are a header and the elements behind it.
#pragma once

#include <memory>

#include "host/data/array.hpp"
#include "host/data/bytes.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda::data {

/// `read_header` leaves the file behind its header. Labels are taken from a file of their own where the
/// source names one. \throws FileError as read_array and read_labels; ConfigError for a picture of another
/// size
[[nodiscard]] std::unique_ptr<RowSource> open_array_file(const DataSource& source,
                                                         std::unique_ptr<ByteSource> bytes,
                                                         ArrayHeader (*read_header)(ByteSource& bytes));

}  // namespace vaecuda::data
