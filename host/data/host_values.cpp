#include "host/data/host_values.hpp"

#include <cstddef>

#include "host/data/each_value.hpp"
#include "host/data/scale.hpp"

namespace vaecuda::data {

math::ValueTotals HostValues::totals() const {
  ValueMeter meter;
  meter.add(rows_);
  return meter.totals();
}

std::optional<std::int64_t> HostValues::first_outside(float scale, float least, float most) const {
  const bool zero_fits = least <= 0.0f && most >= 0.0f;  // what sparse rows do not store
  std::optional<std::int64_t> found;
  std::int64_t next = 0;
  for_each_stored_value(rows_, scale, [&](std::int64_t row, std::int64_t column, float value) {
    const std::int64_t index = row * rows_.columns() + column;
    if (index > next && !zero_fits) {
      found = next;
    } else if (!(value >= least && value <= most)) {
      found = index;
    }
    next = index + 1;
    return !found;
  });
  if (!found && !zero_fits && next < rows_.rows() * rows_.columns()) found = next;
  return found;
}

std::vector<math::ColumnMoments> HostValues::columns(float scale) const {
  const auto columns = static_cast<std::size_t>(rows_.columns());
  const auto rows = static_cast<double>(rows_.rows());
  std::vector<math::ColumnMoments> moments(columns);
  std::vector<float> first(columns, 0.0f);
  std::vector<std::int64_t> seen(columns, 0);
  for_each_stored_value(rows_, scale, [&](std::int64_t, std::int64_t column, float v) {
    const auto c = static_cast<std::size_t>(column);
    if (seen[c]++ == 0) first[c] = v;
    if (v != first[c]) moments[c].varies = true;
    moments[c].mean += static_cast<double>(v);
    return true;
  });
  for (math::ColumnMoments& column : moments) column.mean /= rows;
  for_each_stored_value(rows_, scale, [&](std::int64_t, std::int64_t column, float v) {
    math::ColumnMoments& of = moments[static_cast<std::size_t>(column)];
    of.squares = math::add_square(of.squares, static_cast<double>(v) - of.mean);
    return true;
  });
  // Zeros that sparse rows do not store.
  for (std::size_t c = 0; c < columns; ++c) {
    const std::int64_t zeros = rows_.rows() - seen[c];
    if (zeros == 0) continue;
    if (seen[c] > 0 && first[c] != 0.0f) moments[c].varies = true;
    moments[c].squares += static_cast<double>(zeros) * moments[c].mean * moments[c].mean;
  }
  return moments;
}

}  // namespace vaecuda::data
