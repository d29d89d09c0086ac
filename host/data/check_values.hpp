// Whether every value can be used, with its place where it cannot.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/data/preparation.hpp"
#include "host/data/scale.hpp"
#include "host/plan/value_statistics.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {

/// Throws FileError, with file, row and column, if a value of `data` cannot be used under this preparation
/// for a likelihood of such values.
void check_values(const Dataset& data, const Preparation& preparation, ValueDomain domain);
/// The same where something else looks at the values of `data`; counts are looked at here.
void check_values(const Dataset& data, const ValueStatistics& values, const Preparation& preparation,
                  ValueDomain domain);

/// Rows of a block, and what messages call them.
struct NamedRows {
  std::span<const float> values;  ///< raw, row-major
  std::int64_t columns = 0;
  std::int64_t first = 0;  ///< index of the first row
  const std::string& name;
  const std::vector<std::string>& column_names;
};
/// The same for rows that no loader has seen: values must also be finite. `meter` measures them.
void check_values(const NamedRows& rows, const Preparation& preparation, ValueDomain domain,
                  data::ValueMeter& meter);

/// \throws FileError for a source without columns, or with another number of names than of columns
void check_source(const RowSource& source);

/// Whether what a source says of the block that next(most) gave, its rows being first, first + 1, …, fits
/// together: whole rows, no more than asked for, a label with a name, a vector and factors for each.
/// \throws FileError naming what does not
void check_block(const RowSource& source, std::span<const float> block, std::int64_t first,
                 std::int64_t most);

/// Throws FileError for a float that is not finite. Rows of a file were checked when they were read.
void require_finite(const Dataset& data);

}  // namespace vaecuda
