#include "host/data/count_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/data/each_value.hpp"
#include "host/data/match_columns.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

/// Up to 2^24 every whole number is a float.
constexpr float kMostCount = 16777216.0f;

bool is_count(float value) {
  return value >= 0.0f && value <= kMostCount && value == std::floor(value);
}

[[noreturn]] void refuse_count(const std::string& name, const std::vector<std::string>& columns,
                               std::int64_t row, std::int64_t column, float value, const char* advice) {
  throw FileError(
      fmt::format("{}: row {}, {}: the value {} is no count, a whole number from 0 to 16777216; {}", name,
                  row, data::column_name(columns, column), value, advice));
}

/// None negative and none large, as logarithms of counts and one are.
bool may_be_logarithms(const Dataset& data) {
  constexpr float kMostLogarithm = 16.0f;
  bool may_be = true;
  for_each_stored_value(data, 1.0f, [&](std::int64_t, std::int64_t, float value) {
    may_be = value >= 0.0f && value <= kMostLogarithm;
    return may_be;
  });
  return may_be;
}

}  // namespace

void check_counts(const Dataset& data) {
  if (data.type() == ElementType::u8) return;
  for_each_stored_value(data, 1.0f, [&](std::int64_t row, std::int64_t column, float value) {
    if (is_count(value)) return true;
    refuse_count(
        data.name(), data.column_names(), row, column, value,
        may_be_logarithms(data)
            ? "these look like log-normalized counts: give the raw ones, --input-transform log1p takes "
              "their logarithm for the encoder"
            : "for other values use --likelihood gaussian (with --standardize for a table)");
  });
}

void check_counts(const NamedRows& rows) {
  const auto odd = std::find_if_not(rows.values.begin(), rows.values.end(), is_count);
  if (odd == rows.values.end()) return;
  const std::int64_t at = odd - rows.values.begin();
  refuse_count(rows.name, rows.column_names, rows.first + at / rows.columns, at % rows.columns, *odd,
               "give the raw counts, as the model was trained on them");
}

void survey_counts(PreparedData& prepared) {
  const Dataset& train = prepared.train;
  std::vector<double> sums(static_cast<std::size_t>(train.rows()));
  for_each_stored_value(train, 1.0f, [&](std::int64_t row, std::int64_t, float value) {
    sums[static_cast<std::size_t>(row)] += static_cast<double>(value);
    return true;
  });
  prepared.row_sum = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(train.rows());
  prepared.notes.push_back(
      fmt::format("{}: counts, {:.6g} a row on average", train.name(), prepared.row_sum));
  const auto empty = std::count(sums.begin(), sums.end(), 0.0);
  if (empty == 0) return;
  prepared.warnings.push_back(
      fmt::format("{}: {} of {} training rows hold no count at all: leave them out, they tell nothing",
                  train.name(), empty, train.rows()));
}

}  // namespace vaecuda
